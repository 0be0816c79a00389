"""Stretches of rows: for each of some listeners, so many numbers of one row, from one on; rows go on beyond their ends.

That is what a message on a clock (`clocked`) is made of: what was said so many ticks before, by whom it was said.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skyflow.planner.bounds.pairwise import Floats, Ints, Truths

__all__ = ["Stretches"]


class Stretches:
    """Where stretches of a width begin in rows of a length, and in which row; beginnings may be before it and after it."""

    def __init__(self, of: Ints, begins: Ints, *, width: int, length: int) -> None:
        """Take rows and beginnings, which are broadcast together."""
        begins = np.clip(begins, -width, length)
        self.width = width
        self._of, self._left = of, max(0, -int(begins.min(initial=0)))
        self._stop = self._left + length
        self._whole = max(self._stop, self._left + int(begins.max(initial=0)) + width)
        self._begins = begins + self._left

    def __call__(
        self, rows: NDArray[Any], *, before: Floats | Truths | float, after: Floats | Truths | float
    ) -> NDArray[Any]:
        """Return the stretches, when what is before and after each row goes on for ever."""
        padded = np.empty((len(rows), self._whole), rows.dtype)
        padded[:, : self._left], padded[:, self._left : self._stop], padded[:, self._stop :] = before, rows, after
        row, one = padded.strides
        shape = len(rows), self._whole - self.width + 1, self.width
        return np.ndarray(shape, rows.dtype, padded, strides=(row, one, one))[self._of, self._begins]
