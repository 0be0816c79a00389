"""The least of each group of rows, which is what messages ask of labels at one place and of places that are alike.

`numpy.minimum.reduceat` says the same, but four to five times as slowly when rows are long; so groups are filled up to one size
with members that they have already, where that does not take much more.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Groups"]

_FILLED = 6
"""How many times as many rows filling up may make."""


class Groups:
    """Rows by group; the groups stand in the order of their numbers, which need not be consecutive."""

    def __init__(self, of: NDArray[np.int64]) -> None:
        """Take the number of each row's group."""
        self.order: NDArray[np.int64] = np.argsort(of, kind="stable")
        ordered = of[self.order]
        self.firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))[: len(of)]
        """Where in that order each group begins."""
        self.sizes = np.concatenate((self.firsts[1:], [len(of)])) - self.firsts
        most = int(self.sizes.max(initial=1))
        self._members = None
        if most > 1 and most * len(self.firsts) <= _FILLED * len(of):
            self._members = self.order[self.firsts[:, None] + np.minimum(np.arange(most), self.sizes[:, None] - 1)]

    def least(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the least of each group, column by column."""
        if self._members is not None:
            least: NDArray[np.float64] = rows[self._members].min(axis=1)
            return least
        ordered: NDArray[np.float64] = rows[self.order]
        return ordered if len(self.firsts) == len(ordered) else np.minimum.reduceat(ordered, self.firsts, axis=0)
