"""Virtual time: an event loop that never waits, because waiting is what moves its clock."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import anyio

__all__ = ["VirtualClock", "run_virtually"]

_T = TypeVar("_T")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualClock:
    """The time of a simulated world; see `skyflow.ports.clock.Clock`. It goes on from driver to driver."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Return the wall clock."""
        return _EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Return the seconds since the world began."""
        return self.seconds


class _Jump(selectors.SelectSelector):
    """Finds nothing to do outside, and lets the time pass that would have been waited for."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen any more: everything waits for something else")
        self._clock.seconds += timeout
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_Jump(clock))
        self._virtual = clock

    def time(self) -> float:
        return self._virtual.seconds


def run_virtually(clock: VirtualClock, work: Callable[[], Awaitable[_T]]) -> _T:
    """Run something to its end in virtual time; nothing in it may wait for the world outside."""
    return anyio.run(work, backend="asyncio", backend_options={"loop_factory": lambda: _Loop(clock)})
