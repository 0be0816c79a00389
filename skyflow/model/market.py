"""How a machine is bought. A module of its own, so that the command line can name it at no cost."""

from enum import StrEnum

__all__ = ["Market"]


class Market(StrEnum):
    """How a machine is bought."""

    ON_DEMAND = "on-demand"
    """Kept until given back."""
    SPOT = "spot"
    """Cheaper, and may be taken away at any time."""
    ANY = "any"
    """Whichever the planner finds better."""
