"""The stores of a project for artifacts, and which of them is for the jobs of which place."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates

__all__ = ["HERE", "DeclaredStore", "routed", "store_for"]

HERE = "here"
"""What the store in the project's own folder is called, which every project has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredStore:
    """Where artifacts are kept, under a name.

    `url` is a folder of this machine, or a bucket and a prefix in it. `place` is where it is, None where nobody says.
    `endpoint` is how a service is reached that is not the cloud's own. With `serves`, it is for the jobs of these places
    alone: patterns of `PROVIDER/REGION`, or providers.
    """

    name: str
    url: str
    place: Place | None = LOCAL_PLACE
    endpoint: str = ""
    serves: tuple[str, ...] = ()

    def is_for(self, place: Place) -> bool:
        """Tell whether it is named as the store of a place."""
        where = f"{place.provider}/{place.region}"
        return any(pattern == place.provider or fnmatchcase(where, pattern) for pattern in self.serves)


def store_for(place: Place, stores: Sequence[DeclaredStore], rates: Callable[[], TransferRates]) -> DeclaredStore:
    """Return the store that jobs of a place leave their artifacts in.

    That is the first that `serves` the place; else of those without `serves` the one in its region, else the one to which
    data costs least, then takes least time, then the first.

    Args:
        place: where a job runs.
        stores: all there are; at least one has no `serves`.
        rates: gives the rates between all places that matter; not called where they do not decide.
    """
    serving = next((store for store in stores if store.is_for(place)), None)
    if serving is not None:
        return serving
    free = [store for store in stores if not store.serves]
    region = replace(place, zone="")
    there = next((store for store in free if store.place == region), None)
    if there is not None or len(free) == 1:
        return there or free[0]
    known = rates()
    row = known.index[place]

    def costs(store: DeclaredStore) -> tuple[bool, float, float]:
        if store.place is None:
            return True, 0.0, 0.0
        column = known.index[store.place]
        return False, known.usd_per_gb[row][column], known.seconds_per_gb[row][column]

    return min(free, key=costs)


def routed(
    rates: TransferRates, stores: Sequence[DeclaredStore], by: TransferRates, *, outside: Collection[Place]
) -> TransferRates:
    """Return what data costs and takes from job to job: to the store of the one's place, and from there to the other's.

    Args:
        rates: the direct ones, between all places of jobs and stores.
        stores: all there are.
        by: the rates that decide which store it is.
        outside: where there is data that no job hands on; it goes directly.
    """
    via = [rates.index[store_for(place, stores, lambda: by).place or place] for place in rates.places]
    apart = tuple(sorted(outside))
    return replace(
        rates,
        usd_per_gb=_routed(rates.usd_per_gb, via, [rates.index[place] for place in apart]),
        seconds_per_gb=_routed(rates.seconds_per_gb, via, [rates.index[place] for place in apart]),
        outside=apart,
    )


def _routed(
    table: Sequence[Sequence[float]], via: Sequence[int], apart: Sequence[int]
) -> tuple[tuple[float, ...], ...]:
    """Return a table with the way over a stop in place of the direct one; at the stop, nothing has to go there first.

    Behind the places stand those of `apart` once more, from and to which everything goes directly.
    """
    found = []
    for source, stop in enumerate(via):
        first = 0.0 if source == stop else table[source][stop]
        found.append((*(first + rest for rest in table[stop]), *(table[source][place] for place in apart)))
    found += [(*table[place], *(table[place][other] for other in apart)) for place in apart]
    return tuple(found)
