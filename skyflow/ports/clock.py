"""Time, injected, so that tests never wait."""

from datetime import datetime
from typing import Protocol

__all__ = ["Clock", "Waiter"]


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Return the wall clock as an aware UTC time; it may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only grow, for durations and deadlines."""
        ...


class Waiter(Clock, Protocol):
    """A clock that can also let time pass, for threads that have nothing to do meanwhile."""

    def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...
