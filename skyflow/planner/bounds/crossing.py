"""What one job on a clock tells another over the edge between them (`clocked`), and which places are alike in that.

Prices and times of transfers know clouds and continents rather than places. Places that pay the same and wait as long
wherever data goes, but for what stays at home, speak with one voice: the least of them. What stays at home is looked at by
itself. Those who listen and are alike in that are asked for once, too. That changes no message, and real tables have ten
times as many places as voices. To a listener b the message is then, for each of its ticks m, the least over the voices a of

    said[a](m - floor((wait[a,b] + seconds[b]) / tick)) + cost[a,b]

and to a voice it is, for each of its ticks n, the least over the listeners, likewise.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from skyflow.planner.bounds.groups import Groups
from skyflow.planner.bounds.pairwise import Floats, Ints
from skyflow.planner.bounds.stretches import Stretches

__all__ = ["Clock", "Crossing", "Link", "Span", "alike"]

_ROUNDING = 1e-12
"""By what share seconds count as shorter or longer, so that rounding never makes a tick of nothing, or a second one."""


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
class Clock:
    """Ticks of some seconds; times are rounded down to them or up."""

    tick: float
    is_up: bool = False

    def ticks(self, seconds: Floats) -> Ints:
        """Return whole ticks."""
        counted = seconds / self.tick * (1 - _ROUNDING)
        ticks: Ints = (np.ceil(counted) if self.is_up else np.floor(counted)).astype(np.int64)
        return ticks


@dataclass(frozen=True, slots=True)
class Span:
    """The ticks of an edge's ends: by how many the target's first is later than the source's, and how many both have."""

    lead: int
    ahead: int
    back: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """What each voice costs each listener at the target and how many seconds it takes; and the listener's own seconds."""

    costs: Floats
    waits: Floats
    seconds: Floats

    def alike(self) -> tuple[Ints, Ints]:
        """Return the first one of each kind of listener, and of what kind each is; alike are those that ask the same."""
        keys = _sum(self.costs) + np.sqrt(3.0) * _sum(self.waits) + np.sqrt(7.0) * self.seconds
        _, firsts, of = np.unique(keys, return_index=True, return_inverse=True)
        kinds = self.only(firsts).only(of)
        same = (np.array_equal(a, b) for a, b in ((kinds.costs, self.costs), (kinds.waits, self.waits)))
        if not (all(same) and np.array_equal(kinds.seconds, self.seconds)):  # some happen to have one key
            firsts = of = np.arange(len(self.seconds))
        return firsts, of

    def late(self, clock: Clock, span: Span) -> Ints:
        """Return how many ticks after a voice's first one that is which a listener hears in its own first one."""
        late: Ints = span.lead - clock.ticks(self.waits + self.seconds)
        return late

    def only(self, listeners: Ints) -> "_Asked":
        """Return what some listeners ask."""
        return _Asked(self.costs[:, listeners], self.waits[:, listeners], self.seconds[listeners])


@dataclass(frozen=True, slots=True)
class Link:
    """An edge as data: the places of its source, ascending; place and seconds of each who listens at its target; what moves.

    `voices` says of every place with which others it is alike; the tables per gigabyte are indexed by all places.
    """

    there: Ints
    here: Ints
    seconds: Floats
    gigabytes: float
    voices: Ints
    cost_per_gb: Floats
    seconds_per_gb: Floats

    def asked(self, speaker: Ints, listeners: Ints) -> _Asked:
        """Return what places cost listeners, and how many seconds they take."""
        here = self.here[listeners]
        waits = self.gigabytes * self.seconds_per_gb[speaker, here] if self.gigabytes else np.zeros(speaker.shape)
        return _Asked(self.gigabytes * self.cost_per_gb[speaker, here], waits, self.seconds[listeners])


class Crossing:
    """An edge between jobs with a number of ticks each; messages are by place of the source, or listener at the target, and tick."""

    def __init__(self, link: Link, clock: Clock, span: Span) -> None:
        """Take an edge, the clock of both ends, and their ticks."""
        voice = link.voices[link.there] if link.gigabytes else np.zeros(len(link.there), dtype=np.int64)
        self._heard: Stretches | None
        self._told: Stretches | None
        self._voices = Groups(voice)
        order, firsts, sizes = self._voices.order, self._voices.firsts, self._voices.sizes
        self._of = np.searchsorted(voice[order][firsts], voice)
        first = link.there[order[firsts]]
        other = link.there[order[firsts + (sizes > 1)]]  # who speaks to the place of the first
        speaker = np.where(first[:, None] == link.here[None, :], other[:, None], first[:, None])
        asked = link.asked(speaker, np.arange(len(link.here)))
        kinds, self._kind_of = asked.alike()
        self._kinds = Groups(self._kind_of)
        self._asked = asked.only(kinds)
        self._keep_home(link, sizes)
        self._set(clock, span)

    def _keep_home(self, link: Link, sizes: Ints) -> None:
        """Note what stays in a place that speaks with others; in one that speaks for itself that is said already."""
        at = np.minimum(np.searchsorted(link.there, link.here), len(link.there) - 1)
        is_home = (link.there[at] == link.here) & (sizes[self._of[at]] > 1) & (link.gigabytes > 0)
        listeners = np.flatnonzero(is_home)
        self._listeners = listeners[np.argsort(at[listeners], kind="stable")]
        self._homes = at[self._listeners]
        self._by_home = Groups(self._homes)
        self._at_home = link.asked(link.here[self._listeners], self._listeners)
        self._shape = voices, kinds = self._asked.costs.shape
        self._hears = np.concatenate((np.repeat(np.arange(voices), kinds), voices + self._homes))
        self._tells = np.concatenate((np.tile(np.arange(kinds), voices), kinds + self._listeners))
        self._costs = np.concatenate((self._asked.costs.ravel(), self._at_home.costs))[:, None]

    def _set(self, clock: Clock, span: Span) -> None:
        """Note how much later, in ticks, listeners hear than voices speak."""
        self._late = np.concatenate((self._asked.late(clock, span).ravel(), self._at_home.late(clock, span)))
        self._span = span
        self._heard = self._told = None
        self.cells = len(self._late) * max(span.ahead, span.back)
        """How many numbers a message looks at."""

    def at(self, clock: Clock, span: Span) -> "Crossing":
        """Return the same edge on another clock, or with other ticks."""
        moved = copy(self)
        moved._set(clock, span)  # noqa: SLF001 -- a copy of it
        return moved

    def forward(self, best: Floats) -> Floats:
        """Return the least for each listener and tick of the target, from the least by then of each place of the source."""
        voices = self._voices.least(best)
        said = np.concatenate((voices, best)) if len(self._homes) else voices
        if self._heard is None:
            self._heard = Stretches(self._hears, self._late, width=self._span.ahead, length=self._span.back)
        heard = self._heard(said, before=np.inf, after=said[:, -1:])
        heard += self._costs
        between, home = self._apart(heard)
        message: Floats = between.min(axis=0)[self._kind_of]
        if len(home):
            message[self._listeners] = np.minimum(message[self._listeners], home)
        return message

    def backward(self, best: Floats) -> Floats:
        """Return the least for each place and tick of the source, from the least from then on of each listener."""
        kinds = self._kinds.least(best)
        said = np.concatenate((kinds, best)) if len(self._homes) else kinds
        if self._told is None:
            self._told = Stretches(self._tells, -self._late, width=self._span.back, length=self._span.ahead)
        told = self._told(said, before=said[:, :1], after=np.inf)
        told += self._costs
        between, home = self._apart(told)
        message: Floats = between.min(axis=1)[self._of]
        if len(home):
            at = self._homes[self._by_home.firsts]
            message[at] = np.minimum(message[at], self._by_home.least(home))
        return message

    def _apart(self, rows: Floats) -> tuple[Floats, Floats]:
        """Return what comes of voices and kinds of listeners, and what comes of those who are at home."""
        voices, kinds = self._shape
        return rows[: voices * kinds].reshape(voices, kinds, -1), rows[voices * kinds :]


def _sum(table: Floats) -> Floats:
    """Return a number for each column, the same for those that are the same."""
    weights = np.sqrt(np.arange(2.0, len(table) + 2))
    total: Floats = (table * weights[:, None]).sum(axis=0)
    return total
