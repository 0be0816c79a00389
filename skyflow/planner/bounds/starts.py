"""When the labels of a job on a clock (`clocked`) start at the latest: as many whole ticks before they end as they take.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skyflow.planner.bounds.pairwise import Floats, Ints, Truths
from skyflow.planner.bounds.stretches import Stretches

__all__ = ["Starts"]


class Starts:
    """The ticks in which a job's labels start: the first one, and how many. Labels are by tick of the end otherwise."""

    def __init__(self, first_end: int, took: Ints, is_open: Truths, row: Ints) -> None:
        """Take labels: the first tick in which one ends, how many ticks each takes, and which are open, by label and tick.

        `row` is, for each label, the row of its place in what is by place.
        """
        labels, width = np.flatnonzero(is_open.any(axis=1)), is_open.shape[1]
        soonest = is_open[labels].argmax(axis=1) - took[labels]
        latest = width - is_open[labels, ::-1].argmax(axis=1) - took[labels]
        begin = int(soonest.min(initial=0 if not len(labels) else width))
        self.first, self.count = first_end + begin, max(1, int(latest.max(initial=begin + 1)) - begin)
        self._by_end = Stretches(row, -begin - took, width=width, length=self.count)
        self._by_start = Stretches(np.arange(len(took)), took + begin, width=self.count, length=width)

    def by_end(self, rows: NDArray[Any], /) -> NDArray[Any]:
        """Return by label and tick of the end what rows say by place and tick of the start.

        A label that would start in none of these ticks hears what is said of the nearest.
        """
        return self._by_end(rows, before=rows[:, :1], after=rows[:, -1:])

    def by_start(self, rows: Floats) -> Floats:
        """Return by label and tick of the start what rows say by label and tick of the end; infinite where there is none."""
        begun: Floats = self._by_start(rows, before=np.inf, after=np.inf)
        return begun

    def taken(self, rows: Floats, first: int) -> Floats:
        """Return by these ticks what rows say from a first tick on; where they say nothing, what they say of the nearest."""
        moved: Floats = rows[:, np.clip(self.first - first + np.arange(self.count), 0, rows.shape[1] - 1)]
        return moved
