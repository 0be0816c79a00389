"""Machines of clouds as a place of jobs: had for an attempt, used, handed on to the next one, and given back."""
