"""Time, injected, so that tests never wait."""

from datetime import datetime
from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Return the wall clock as an aware UTC time; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, for durations and deadlines."""
        ...
