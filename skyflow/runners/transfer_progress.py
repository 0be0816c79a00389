"""Says how far a long transfer has come."""

from collections.abc import Callable

from skyflow.model.transfers import Leg, Way
from skyflow.model.units import format_duration
from skyflow.ports.clock import Clock

__all__ = ["TransferProgress"]

_FIRST_SECONDS = 5.0
_EVERY_SECONDS = 10.0


class TransferProgress:
    """Counts the bytes of a transfer, and prints a line now and then if it takes long."""

    def __init__(self, total: int | None, tell: Callable[[str], None], clock: Clock) -> None:
        """Begin to count.

        Args:
            total: how many bytes there will be, if that is known.
            tell: takes a line.
            clock: the time.
        """
        self._total = total
        self._tell = tell
        self._clock = clock
        self._begun = clock.monotonic()
        self._due = self._begun + _FIRST_SECONDS
        self.moved = 0

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return self._clock.monotonic() - self._begun

    def leg(self, way: Way, route: str) -> Leg | None:
        """Say what has gone on a route, and how long it took; None, and nothing is said, where nothing has."""
        if not self.moved:
            return None
        leg = Leg(way=way, size=self.moved, seconds=self.seconds)
        self._tell(f"{route}: {leg.size / 1e6:.1f} MB in {leg.seconds:.1f} s\n")
        return leg

    def add(self, size: int) -> None:
        """Count some bytes more."""
        self.moved += size
        now = self._clock.monotonic()
        if now < self._due or not self.moved or (self._total is not None and self.moved >= self._total):
            return
        self._due = now + _EVERY_SECONDS
        rate = self.moved / (now - self._begun)
        speed = f"{rate / 1e6:.1f} MB/s"
        if self._total is None:
            self._tell(f"{self.moved / 1e6:.1f} MB so far, {speed}\n")
            return
        left = format_duration((self._total - self.moved) / rate)
        share = f"{self.moved / self._total:.0%}"
        self._tell(f"{self.moved / 1e6:.1f} of {self._total / 1e6:.1f} MB ({share}), {speed}, about {left} left\n")
