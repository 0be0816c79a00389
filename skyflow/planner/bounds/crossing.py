"""What one job on a clock tells another over the edge between them (`clocked`), and which places are alike in that.

Prices and times of transfers know clouds and continents rather than places. Places that pay the same and wait as long
wherever data goes, but for what stays at home, speak with one voice: the least of them. What stays at home is looked at by
itself. That changes no message, and real tables have ten times as many places as voices.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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


class Crossing:
    """An edge between jobs with a number of ticks each; messages are by place of the source, or label of the target, and tick."""

    def __init__(self, link: Link, ticks: Callable[[Floats], Ints], *, lead: int, ahead: int, back: int) -> None:
        """Take an edge, what makes ticks of seconds, by how many the target's first is later, and how many both ends have."""
        self._ahead, self._back = ahead, back
        voice = link.voices[link.there] if link.gigabytes else np.zeros(len(link.there), dtype=np.int64)
        self._voices = Groups(voice)
        order, firsts, sizes = self._voices.order, self._voices.firsts, self._voices.sizes
        self._of = np.searchsorted(voice[order][firsts], voice)
        first = link.there[order[firsts]]
        other = link.there[order[firsts + (sizes > 1)]]  # who speaks to the place of the first
        speaker = np.where(first[:, None] == link.here[None, :], other[:, None], first[:, None])
        self._costs, took = self._of_pairs(link, speaker, link.here[None, :])
        late = lead - ticks(took + link.seconds[None, :])
        self._starts, self._back_starts = np.clip(late + ahead, 0, ahead + back), np.clip(back - late, 0, ahead + back)
        self._keep_home(link, ticks, sizes, lead)

    def _keep_home(self, link: Link, ticks: Callable[[Floats], Ints], sizes: Ints, lead: int) -> None:
        """Note what stays in a place that speaks with others; in one that speaks for itself that is said already."""
        at = np.minimum(np.searchsorted(link.there, link.here), len(link.there) - 1)
        is_home = (link.there[at] == link.here) & (sizes[self._of[at]] > 1) & (link.gigabytes > 0)
        labels = np.flatnonzero(is_home)
        self._labels = labels[np.argsort(at[labels], kind="stable")]
        self._homes = at[self._labels]
        self._by_home = Groups(self._homes)
        places = link.here[self._labels]
        self._home_costs, took = self._of_pairs(link, places, places)
        late = lead - ticks(took + link.seconds[self._labels])
        whole = self._ahead + self._back
        self._home_starts = np.clip(late + self._ahead, 0, whole)
        self._home_back_starts = np.clip(self._back - late, 0, whole)

    @staticmethod
    def _of_pairs(link: Link, there: Ints, here: Ints) -> tuple[Floats, Floats]:
        costs: Floats = link.gigabytes * link.cost_per_gb[there, here]
        took: Floats = link.gigabytes * link.seconds_per_gb[there, here] if link.gigabytes else np.zeros(costs.shape)
        return costs, took

    @property
    def cells(self) -> int:
        """How many numbers a message looks at."""
        return (self._costs.size + len(self._labels)) * self._ahead

    def forward(self, best: Floats) -> Floats:
        """Return the least for each label and tick of the target, from the least by then of each place of the source."""
        voices = self._voices.least(best)
        said = _windows(voices, self._ahead, before=np.inf, after=voices[:, -1:])
        said = said[np.arange(len(voices))[:, None], self._starts]
        said += self._costs[:, :, None]
        message: Floats = said.min(axis=0)
        if len(self._labels):
            home = _windows(best, self._ahead, before=np.inf, after=best[:, -1:])[self._homes, self._home_starts]
            home += self._home_costs[:, None]
            message[self._labels] = np.minimum(message[self._labels], home)
        return message

    def backward(self, best: Floats) -> Floats:
        """Return the least for each place and tick of the source, from the least from then on of each label of the target."""
        windows = _windows(best, self._back, before=best[:, :1], after=np.inf)
        said = windows[np.arange(len(best))[None, :], self._back_starts]
        said += self._costs[:, :, None]
        message: Floats = said.min(axis=1)[self._of]
        if len(self._labels):
            home = windows[self._labels, self._home_back_starts]
            home += self._home_costs[:, None]
            at = self._homes[self._by_home.firsts]
            message[at] = np.minimum(message[at], self._by_home.least(home))
        return message


def _windows(rows: Floats, width: int, *, before: Floats | float, after: Floats | float) -> Floats:
    """Return, of each row, all stretches of a width, when what is before and after the row goes on for ever."""
    padded = np.empty((len(rows), rows.shape[1] + 2 * width))
    padded[:, :width], padded[:, width:-width], padded[:, -width:] = before, rows, after
    row, one = padded.strides
    return np.ndarray((len(rows), rows.shape[1] + width + 1, width), buffer=padded, strides=(row, one, one))
