"""What one job on a clock tells another over the edge between them (`clocked`), and which places are alike in that.

Prices and times of transfers know clouds and continents rather than places. Places that pay the same and wait as long
wherever data goes, but for what stays at home, speak with one voice: the least of them. What stays at home is looked at by
itself. That changes no message, and real tables have ten times as many places as voices. How labels ask voices is in `gates`.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skyflow.planner.bounds.gates import Asked, Clock, Paired, Span, gate
from skyflow.planner.bounds.groups import Groups
from skyflow.planner.bounds.pairwise import Floats, Ints

__all__ = ["Crossing", "Link", "alike"]


def alike(tables: Sequence[Floats]) -> Ints:
    """Return the number of a voice for each place: places with the same one differ, as sources, only in what stays at home.

    The tables are square, indexed [source][destination].
    """
    count = len(tables[0])
    voices: list[list[int]] = []
    of = np.zeros(count, dtype=np.int64)
    for a in range(count):
        for number, members in enumerate(voices):
            if all(_is_one_of(a, members, table) for table in tables):
                members.append(a)
                of[a] = number
                break
        else:
            of[a] = len(voices)
            voices.append([a])
    return of


def _is_one_of(a: int, members: Sequence[int], table: Floats) -> bool:
    first = members[0]
    is_same = table[a] == table[first]
    is_same[[a, first]] = True
    return (
        bool(is_same.all())
        and bool(table[a, first] == table[members[1] if len(members) > 1 else a, first])
        and bool(table[a, a] <= table[first, a])
        and bool(table[first, first] <= table[a, first])
    )


@dataclass(frozen=True, slots=True)
class Link:
    """An edge as data: the places of its source, ascending; place and seconds of each label of its target; what moves.

    `voices` says of every place with which others it is alike; the tables per gigabyte are indexed by all places.
    """

    there: Ints
    here: Ints
    seconds: Floats
    gigabytes: float
    voices: Ints
    cost_per_gb: Floats
    seconds_per_gb: Floats

    def asked(self, speaker: Ints, labels: Ints) -> Asked:
        """Return what places cost labels of the target, and how many seconds they take."""
        here = self.here[labels]
        waits = self.gigabytes * self.seconds_per_gb[speaker, here] if self.gigabytes else np.zeros(speaker.shape)
        return Asked(self.gigabytes * self.cost_per_gb[speaker, here], waits, self.seconds[labels])


class Crossing:
    """An edge between jobs with a number of ticks each; messages are by place of the source, or label of the target, and tick."""

    def __init__(self, link: Link, clock: Clock, span: Span) -> None:
        """Take an edge, the clock of both ends, and their ticks."""
        voice = link.voices[link.there] if link.gigabytes else np.zeros(len(link.there), dtype=np.int64)
        self._voices = Groups(voice)
        order, firsts, sizes = self._voices.order, self._voices.firsts, self._voices.sizes
        self._of = np.searchsorted(voice[order][firsts], voice)
        first = link.there[order[firsts]]
        other = link.there[order[firsts + (sizes > 1)]]  # who speaks to the place of the first
        speaker = np.where(first[:, None] == link.here[None, :], other[:, None], first[:, None])
        self._gate = gate(link.asked(speaker, np.arange(len(link.here))), clock, span)
        self._keep_home(link, clock, span, sizes)

    def _keep_home(self, link: Link, clock: Clock, span: Span, sizes: Ints) -> None:
        """Note what stays in a place that speaks with others; in one that speaks for itself that is said already."""
        at = np.minimum(np.searchsorted(link.there, link.here), len(link.there) - 1)
        is_home = (link.there[at] == link.here) & (sizes[self._of[at]] > 1) & (link.gigabytes > 0)
        labels = np.flatnonzero(is_home)
        self._labels = labels[np.argsort(at[labels], kind="stable")]
        self._homes = at[self._labels]
        self._by_home = Groups(self._homes)
        self._home = Paired(link.asked(link.here[self._labels], self._labels), clock, span)

    @property
    def cells(self) -> int:
        """How many numbers a message looks at."""
        return self._gate.cells + self._home.cells

    def forward(self, best: Floats) -> Floats:
        """Return the least for each label and tick of the target, from the least by then of each place of the source."""
        message = self._gate.forward(self._voices.least(best))
        if len(self._labels):
            stayed = self._home.forward(best[self._homes])
            message[self._labels] = np.minimum(message[self._labels], stayed)
        return message

    def backward(self, best: Floats) -> Floats:
        """Return the least for each place and tick of the source, from the least from then on of each label of the target."""
        message: Floats = self._gate.backward(best)[self._of]
        if len(self._labels):
            stayed = self._by_home.least(self._home.backward(best[self._labels]))
            at = self._homes[self._by_home.firsts]
            message[at] = np.minimum(message[at], stayed)
        return message
