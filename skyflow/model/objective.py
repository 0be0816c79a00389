"""What a plan is asked to make small. A module of its own, so that the command line can name it at no cost."""

from enum import StrEnum

__all__ = ["Objective"]


class Objective(StrEnum):
    """What a plan makes small; ties are broken by the other one."""

    COST = "cost"
    """US dollars for machines and data transfer."""
    MAKESPAN = "makespan"
    """Seconds from the start of the run to its end."""
