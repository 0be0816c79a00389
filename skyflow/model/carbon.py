"""How the carbon intensity of a grid changes with the hour: a forecast from what hours like it were like.

A profile is made of traces, one mean for each hour of the day and month. Where power comes from the sun, the hour of the
day matters more than anything else that is known a week ahead. Live sources are plug-ins of the same interface.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

__all__ = ["CarbonForecast", "CarbonProfile", "profile_from_trace"]

_MONTHS, _HOURS = 12, 24


class CarbonForecast(Protocol):
    """What is expected of a grid; a profile is one, a live service another."""

    def gco2_per_kwh(self, at: datetime) -> float:
        """Return the grams of CO2-equivalent per kWh expected at a moment."""
        ...


@dataclass(frozen=True, slots=True)
class CarbonProfile:
    """A yearly mean in g/kWh, and for each month the factors of its 24 hours in UTC; all factors have the mean 1."""

    mean: float
    factors: Sequence[float]

    def gco2_per_kwh(self, at: datetime) -> float:
        """Return what hours like this one were like."""
        moment = at.astimezone(UTC)
        return self.mean * self.factors[(moment.month - 1) * _HOURS + moment.hour]


def profile_from_trace(hours: Iterable[tuple[datetime, float]]) -> CarbonProfile:
    """Return the profile of measured hours; a month without any has the mean of the year.

    Raises:
        ValueError: there are no hours, or their mean is not above zero.
    """
    sums: dict[int, list[float]] = {}
    for at, grams in hours:
        moment = at.astimezone(UTC)
        sums.setdefault((moment.month - 1) * _HOURS + moment.hour, []).append(grams)
    means = {slot: sum(values) / len(values) for slot, values in sums.items()}
    mean = sum(means.values()) / len(means) if means else 0.0
    if mean <= 0:
        raise ValueError("a trace needs at least one hour with an intensity above zero")
    return CarbonProfile(mean, tuple(means.get(slot, mean) / mean for slot in range(_MONTHS * _HOURS)))
