"""Machines that one job takes over from another: what that saves at most, and the best way to do it."""
