"""Frozen domain types: what a workflow, a plan and a run are. Derivations, no behaviour, no I/O."""
