"""Runs a workflow: a pure state machine decides, a thin driver performs.

`machine.handle(state, event)` returns the next state and the effects to perform; it has no clock, no I/O and no
asyncio. `driver` is the only module here that has.
"""
