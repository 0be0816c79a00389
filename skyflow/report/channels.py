"""Lines between two columns of boxes on a terminal: which of them goes up or down at which column of characters.

What leaves boxes that lead to the same ones is one net. A net that turns needs a track; two nets may share one if they do
not meet there. Where one net arrives in the row that another leaves from, it has to turn after that one, or
they would look like one line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from skyflow.report.strokes import Canvas

__all__ = ["Channel", "Net", "routed"]

_BEFORE = 1
_AFTER = 2


@dataclass(frozen=True, slots=True)
class Net:
    """The rows where lines begin, those where they end (and whether at a box, which gets an arrow head), and their track."""

    sources: frozenset[int]
    targets: Mapping[int, bool]
    track: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last row."""
        rows = (*self.sources, *self.targets)
        return min(rows), max(rows)


@dataclass(frozen=True, slots=True)
class Channel:
    """The nets between two columns; `width` is what they need."""

    nets: tuple[Net, ...]
    width: int

    def draw(self, canvas: Canvas, *, left: int, style: str) -> None:
        """Draw all of it; lines that cross go over each other and are not joined."""
        right = left + self.width
        for number, net in enumerate(self.nets):
            turn = right if net.track is None else left + _BEFORE + net.track
            for row in net.sources:
                canvas.across(row, left, turn, f"{left}/{number}", style)
            for row in net.targets:
                canvas.across(row, turn + 1, right, f"{left}/{number}", style)
        for number, net in enumerate(self.nets):
            if net.track is not None:
                ends = dict.fromkeys(net.sources, "left") | dict.fromkeys(net.targets, "right")
                ends |= dict.fromkeys(net.sources & net.targets.keys(), "both")
                canvas.down(left + _BEFORE + net.track, ends, f"{left}/{number}", style)
        for net in self.nets:
            for row in (row for row, is_box in net.targets.items() if is_box):
                canvas.arrow(row, right - 1, style)


def routed(lines: Iterable[tuple[int, Mapping[int, bool]]]) -> Channel:
    """Return a channel for lines, each given by the row it begins in and the rows it ends in with whether there is a box."""
    sources: dict[frozenset[int], set[int]] = {}
    targets: dict[frozenset[int], Mapping[int, bool]] = {}
    for source, ends in lines:
        sources.setdefault(frozenset(ends), set()).add(source)
        targets[frozenset(ends)] = ends
    nets = [Net(frozenset(found), targets[ends]) for ends, found in sources.items()]
    straight = [net for net in nets if net.sources == net.targets.keys()]
    turning = sorted((net for net in nets if net not in straight), key=lambda net: net.span)
    placed: list[Net] = []
    for net in _in_order(turning):
        number = max(
            (other.track + 1 for other in placed if other.track is not None and _goes_first(other, net)), default=0
        )
        while any(other.track == number and _meet(other, net) for other in placed):
            number += 1
        placed.append(replace(net, track=number))
    tracks = max((net.track + 1 for net in placed if net.track is not None), default=0)
    return Channel((*straight, *placed), _BEFORE + tracks + _AFTER)


def _goes_first(one: Net, other: Net) -> bool:
    """Tell whether one net leaves a row that the other arrives in, so that it has to turn before."""
    return any(row in other.targets and row not in one.targets for row in one.sources)


def _meet(one: Net, other: Net) -> bool:
    return one.span[0] <= other.span[1] and other.span[0] <= one.span[1]


def _in_order(nets: Sequence[Net]) -> list[Net]:
    """Return the nets such that each comes after those that go first; of a circle, one has to give way."""
    left, order = list(nets), list[Net]()
    while left:
        ready = next(
            (net for net in left if not any(_goes_first(other, net) for other in left if other is not net)), left[0]
        )
        left.remove(ready)
        order.append(ready)
    return order
