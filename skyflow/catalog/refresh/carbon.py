"""What every carbon service can be asked: the measured hours of a grid, and some of them also what is expected of it.

A service is a class with the methods of `CarbonService`; `app.market.carbon_services` lists them, and knows where their keys come
from. What a service says of a grid becomes its mean and its profile, whoever says it.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Protocol

from skyflow.catalog.columns import TABLES
from skyflow.catalog.refresh.quotes import GridFigures
from skyflow.catalog.tables import read_table
from skyflow.errors import CatalogError
from skyflow.model.carbon import CarbonForecast, profile_from_trace

__all__ = ["CarbonService", "Grid", "Hour", "HourlyForecast", "grid_figures", "grids_of", "in_order", "spans"]

Hour = tuple[datetime, float]
"""From a moment on, so many grams of CO2-equivalent per kWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A grid by the name that Electricity Maps has for it (`DE`, `US-CAL-CISO`), and where a data centre is on it."""

    name: str
    latitude: float | None = None
    longitude: float | None = None


class CarbonService(Protocol):
    """A service that knows grids; `title` is what people call it, `measures` whether it has hours, not only forecasts."""

    title: ClassVar[str]
    measures: ClassVar[bool]

    def covers(self, grid: Grid) -> bool:
        """Tell whether the service knows the grid, as far as that can be told without asking it."""
        ...

    def hours(self, grid: Grid, start: datetime, end: datetime) -> list[Hour]:
        """Return what was measured between two moments.

        Raises:
            CatalogError: the service cannot be used, or answers in another shape.
        """
        ...

    def forecast(self, grid: Grid, now: datetime) -> CarbonForecast | None:
        """Return what is expected from now on, or None where the service expects nothing.

        Raises:
            CatalogError: the service cannot be used, or answers in another shape.
        """
        ...


@dataclass(frozen=True, slots=True)
class HourlyForecast:
    """Intensities from certain moments on, ascending; before the first and after the last the nearest holds."""

    moments: Sequence[datetime]
    grams: Sequence[float]

    def gco2_per_kwh(self, at: datetime) -> float:
        """Return the grams of CO2-equivalent per kWh expected at a moment."""
        return self.grams[max(0, bisect_right(self.moments, at) - 1)]


def grid_figures(service: CarbonService, grid: Grid, *, now: datetime, days: int) -> GridFigures:
    """Return the mean and the profile of the last days of a grid.

    Raises:
        CatalogError: the service cannot be used, answers in another shape, or has measured nothing.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    try:
        profile = profile_from_trace(service.hours(grid, end - timedelta(days=days), end))
    except ValueError as error:
        raise CatalogError(f"{service.title}, {grid.name}: {error}") from error
    return GridFigures(grid=grid.name, mean=profile.mean, factors=profile.factors, days=days)


def grids_of(directory: Path, regions: Collection[str] = ()) -> list[Grid]:
    """Return the grids of some regions of a folder of tables, or of all, each with the place of one of these.

    Raises:
        CatalogError: the table of regions is missing, or has other columns.
    """
    table = read_table(directory, "regions.csv", TABLES["regions.csv"])
    found: dict[str, Grid] = {}
    for _, region, grid, latitude, longitude in table.rows("region", "grid", "latitude", "longitude"):
        if grid and (not regions or region in regions):
            found.setdefault(grid, Grid(name=grid, latitude=latitude, longitude=longitude))
    return [found[name] for name in sorted(found)]


def spans(start: datetime, end: datetime, longest: timedelta) -> list[tuple[datetime, datetime]]:
    """Return a range of time in pieces that a service answers at once."""
    found = []
    while start < end:
        until = min(end, start + longest)
        found.append((start, until))
        start = until
    return found


def in_order(hours: Sequence[Hour], grid: Grid) -> HourlyForecast:
    """Return a forecast of hours in any order.

    Raises:
        CatalogError: there are none.
    """
    if not hours:
        raise CatalogError(f"nothing is forecast for the grid {grid.name}")
    ordered = sorted(hours)
    return HourlyForecast([at for at, _ in ordered], [grams for _, grams in ordered])
