"""The hours that a run may wait for: how clean the grids of its machines are expected to be."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from skyflow.catalog import Catalog
from skyflow.model.catalog import Offering
from skyflow.planner.hours import Hours

__all__ = ["hours_of"]

_HOUR = 3600
_MOST_HOURS = 28 * 24
_HOURS_BEYOND = 72
"""A job that starts at the last hour goes on for a while; later than this, power is as clean as in the mean of the year."""


def hours_of(
    catalog: Catalog, offerings: Iterable[Offering], *, begins_at: datetime, latest_seconds: float
) -> tuple[Hours, Callable[[Offering], int]]:
    """Return the hours from a moment on, and which of the grids in them an offering draws its power from; -1 for none.

    `latest_seconds` after the moment no job is held back any more. What is expected is the profile of the grid: what hours
    of the day and month like these were like.
    """
    begins_at = begins_at.astimezone(UTC)
    first = begins_at.replace(minute=0, second=0, microsecond=0)
    count = min(math.ceil(latest_seconds / _HOUR), _MOST_HOURS) + _HOURS_BEYOND
    curves: dict[str, int] = {}
    factors: list[tuple[float, ...]] = []
    for grid in sorted({one.footprint.grid for one in offerings if one.footprint is not None and one.footprint.grid}):
        profile = catalog.index.profile(grid, 1.0)
        if profile is not None:
            curves[grid] = len(factors)
            factors.append(tuple(profile.gco2_per_kwh(first + timedelta(hours=hour)) for hour in range(count)))
    hours = Hours(
        begins_at=begins_at,
        latest_seconds=latest_seconds,
        first_seconds=(first + timedelta(hours=1) - begins_at).total_seconds(),
        factors=tuple(factors),
    )
    return hours, lambda offering: -1 if offering.footprint is None else curves.get(offering.footprint.grid, -1)
