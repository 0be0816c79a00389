"""Carbon services: a year of hours by grid from Electricity Maps, and forecasts from there and from Britain's operator.

A forecast is a `model.carbon.CarbonForecast`: a service takes the place of a profile without anybody noticing.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from skyflow.catalog.refresh.quotes import GridFigures
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError
from skyflow.model.carbon import profile_from_trace

__all__ = ["ELECTRICITY_MAPS", "NESO", "HourlyForecast", "electricity_maps_forecast", "grid_figures", "neso_forecast"]

ELECTRICITY_MAPS = "https://api.electricitymaps.com/v3/carbon-intensity"
NESO = "https://api.carbonintensity.org.uk/intensity"
_CHUNK = timedelta(days=10)
"""The longest range of hours in one answer."""
_HORIZON_HOURS = 72


@dataclass(frozen=True, slots=True)
class HourlyForecast:
    """Intensities from certain moments on, ascending; before the first and after the last the nearest holds."""

    moments: Sequence[datetime]
    grams: Sequence[float]

    def gco2_per_kwh(self, at: datetime) -> float:
        """Return the grams of CO2-equivalent per kWh expected at a moment."""
        return self.grams[max(0, bisect_right(self.moments, at) - 1)]


def grid_figures(
    web: Web, grids: Iterable[str], *, now: datetime, days: int, base: str = ELECTRICITY_MAPS
) -> Iterator[GridFigures]:
    """Yield the mean and the profile of the last days of each grid.

    Raises:
        CatalogError: the service cannot be used, or answers in another shape.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    for grid in grids:
        hours: list[tuple[datetime, float]] = []
        start = end - timedelta(days=days)
        while start < end:
            until = min(end, start + _CHUNK)
            asked = {"zone": grid, "start": start.isoformat(), "end": until.isoformat()}
            hours += _hours(web.json(f"{base}/past-range?{urlencode(asked)}"), "data", grid)
            start = until
        try:
            profile = profile_from_trace(hours)
        except ValueError as error:
            raise CatalogError(f"electricity maps, {grid}: {error}") from error
        yield GridFigures(grid=grid, mean=profile.mean, factors=profile.factors, days=days)


def electricity_maps_forecast(web: Web, grid: str, *, base: str = ELECTRICITY_MAPS) -> HourlyForecast:
    """Return what Electricity Maps expects of a grid.

    Raises:
        CatalogError: the service cannot be used, or answers in another shape.
    """
    asked = urlencode({"zone": grid, "horizonHours": _HORIZON_HOURS})
    return _forecast(_hours(web.json(f"{base}/forecast?{asked}"), "forecast", grid), grid)


def neso_forecast(web: Web, *, now: datetime, base: str = NESO) -> HourlyForecast:
    """Return what Britain's system operator expects of the grid `GB` for two days; no key is needed.

    Raises:
        CatalogError: the service cannot be used, or answers in another shape.
    """
    answer = web.json(f"{base}/{now:%Y-%m-%dT%H:%MZ}/fw48h")
    try:
        found = [(_moment(entry["from"]), float(entry["intensity"]["forecast"])) for entry in answer["data"]]
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"neso: the answer has another shape: {error!r}") from error
    return _forecast(found, "GB")


def _forecast(hours: Sequence[tuple[datetime, float]], grid: str) -> HourlyForecast:
    if not hours:
        raise CatalogError(f"nothing is forecast for the grid {grid}")
    ordered = sorted(hours)
    return HourlyForecast([at for at, _ in ordered], [grams for _, grams in ordered])


def _hours(answer: Any, key: str, grid: str) -> list[tuple[datetime, float]]:
    try:
        return [
            (_moment(entry["datetime"]), float(entry["carbonIntensity"]))
            for entry in answer[key]
            if entry["carbonIntensity"] is not None
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"electricity maps, {grid}: the answer has another shape: {error!r}") from error


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
