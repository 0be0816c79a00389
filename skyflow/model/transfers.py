"""Data that has moved, for a run: between machines and stores, how much, how long it took."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Leg", "Way"]


class Way(StrEnum):
    """From where to where, as seen from the machine that drives the run."""

    TO_HERE = "to here"
    """From the machine of a job."""
    FROM_HERE = "from here"
    """To the machine of a job."""
    DIRECT = "direct"
    """From one machine of a pool to another."""
    TO_STORE = "to store"
    FROM_STORE = "from store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One part of the way that data has taken: bytes, and the seconds that they took."""

    way: Way
    size: int
    seconds: float
