"""How clean power is, hour by hour while a run goes on, against the mean of the year.

A job emits its energy times the mean intensity of its grid while it runs:

    grams(k, s)  =  grams[k] * (F(s + seconds[k]) - F(s)) / seconds[k]

where grams[k] is what it emits at the yearly mean, s its start, and F the integral of the grid's hourly factors from the
start of the run.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Hours"]

_HOUR = 3600.0
_FAR = 1e12
"""Seconds beyond any run; from the last hour that is known until then, power is as clean as in the mean of the year."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """The hours that a run may see.

    `begins_at` is the start of the run, in UTC, and `latest_seconds` after it no job is held back any more. `factors` has
    for each grid those of the hours from the one in which the run begins; `first_seconds` are left of that one.
    """

    begins_at: datetime
    latest_seconds: float
    first_seconds: float
    factors: tuple[Sequence[float], ...]
    knots: tuple[float, ...] = field(init=False)
    sums: tuple[tuple[float, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Add the factors up."""
        count = max(map(len, self.factors), default=0)
        knots = [0.0, *(self.first_seconds + _HOUR * hour for hour in range(count)), _FAR]
        sums = []
        for factors in self.factors:
            total = [0.0]
            for hour in range(count + 1):
                factor = factors[hour] if hour < len(factors) else 1.0
                total.append(total[-1] + factor * (knots[hour + 1] - knots[hour]))
            sums.append(tuple(total))
        object.__setattr__(self, "knots", tuple(knots))
        object.__setattr__(self, "sums", tuple(sums))

    def full_hours(self, earliest: float, latest: float) -> list[float]:
        """Return the full hours between two moments, in seconds from the start of the run."""
        return [knot for knot in self.knots[1:-1] if earliest <= knot <= latest]

    def factor(self, curve: int, start: float, seconds: float) -> float:
        """Return the mean factor of a grid while a job runs; 1 for a grid of which nothing is known."""
        if curve < 0 or seconds <= 0:
            return 1.0
        return (self._sum(curve, start + seconds) - self._sum(curve, start)) / seconds

    def _sum(self, curve: int, at: float) -> float:
        knots, sums = self.knots, self.sums[curve]
        hour = min(bisect_right(knots, at), len(knots) - 1) - 1
        slope = (sums[hour + 1] - sums[hour]) / (knots[hour + 1] - knots[hour])
        return sums[hour] + slope * (at - knots[hour])

    def least_factor(self, curve: int, seconds: float, earliest: float, latest: float) -> float:
        """Return the least mean factor that any start between two moments leads to."""
        if curve < 0 or seconds <= 0:
            return 1.0
        starts = {earliest, max(earliest, latest)}
        starts.update(self.full_hours(earliest, latest))
        starts.update(hour - seconds for hour in self.full_hours(earliest + seconds, latest + seconds))
        return min(self.factor(curve, start, seconds) for start in starts)
