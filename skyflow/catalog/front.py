"""Looks through the offerings of a catalog whole columns at once: which are wanted, and which of them none other beats."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Entries", "OfferingColumns"]

Entries = NDArray[np.int64]
"""Offerings, by their numbers in the index."""


class OfferingColumns:
    """The price, the type and the shelf of every offering, and the power of every type."""

    def __init__(self, *, prices: Any, types: Any, shelf_of: Any, shelves: int, watts: Sequence[float]) -> None:
        self._prices, self._types, self._shelf_of = np.asarray(prices), np.asarray(types), np.asarray(shelf_of)
        self._shelves = shelves
        self._watts = np.array(watts)

    def every(self, types: Collection[int], shelves: Collection[int]) -> Entries:
        """Return every offering of the types on the shelves, in order."""
        return np.flatnonzero(self._are_wanted(types, shelves, self._types, self._shelf_of))

    def among(self, entries: Sequence[int], types: Collection[int], shelves: Collection[int]) -> list[bool]:
        """Tell of each of some offerings whether it is of one of the types and on one of the shelves."""
        numbers = np.array(entries, dtype=np.int64)
        found: list[bool] = self._are_wanted(types, shelves, self._types[numbers], self._shelf_of[numbers]).tolist()
        return found

    def _are_wanted(
        self, types: Collection[int], shelves: Collection[int], type_of: NDArray[Any], shelf_of: NDArray[Any]
    ) -> "NDArray[np.bool_]":
        found: NDArray[np.bool_] = _marked(len(self._watts), types)[type_of] & _marked(self._shelves, shelves)[shelf_of]
        return found

    def one_of_each_type(self, entries: Entries) -> dict[int, int]:
        """Return the first of some offerings of each type."""
        types, first = np.unique(_small(self._types[entries]), return_index=True)
        return dict(zip(types.tolist(), entries[first].tolist(), strict=True))

    def unbeaten(self, entries: Entries, times: Mapping[int, float], *, by_power: bool) -> list[int]:
        """Return those of some offerings that none on the same shelf beats in dollars, time and, if need be, energy.

        Args:
            entries: the offerings, in order; of those that are equal, the first is kept.
            times: how long the job takes on each of their types.
            by_power: whether energy counts.
        """
        of_type = np.zeros(len(self._watts))
        of_type[list(times)] = list(times.values())
        types, shelf = self._types[entries], self._shelf_of[entries]
        time = of_type[types]
        with np.errstate(invalid="ignore"):  # no time at a power that nobody knows
            usd = self._prices[entries] * time
            energy = self._watts[types] * time if by_power else np.zeros(len(entries))
        slowness = _small(np.unique(of_type, return_inverse=True)[1])[types]
        order = np.lexsort((*([energy] if by_power else []), slowness, usd, _small(shelf)))
        entries, shelf, time, energy = entries[order], shelf[order].astype(np.int64), time[order], energy[order]
        found = []
        while len(entries):
            # the cheapest of each shelf is unbeaten; with what it beats, it goes, and another one is the cheapest
            cheapest = np.flatnonzero(np.diff(shelf, prepend=-1))
            found.append(entries[cheapest])
            rival = np.repeat(cheapest, np.diff(cheapest, append=len(entries)))
            left = (time < time[rival]) | (energy < energy[rival])
            entries, shelf, time, energy = entries[left], shelf[left], time[left], energy[left]
        return sorted(np.concatenate(found).tolist()) if found else []


def _small(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the same numbers in as few bits as they need: those of 16 are sorted several times as quickly."""
    return numbers.astype(np.min_scalar_type(numbers.max(initial=0)))


def _marked(length: int, numbers: Collection[int]) -> "NDArray[np.bool_]":
    marks = np.zeros(length, dtype=bool)
    marks[list(numbers)] = True
    return marks
