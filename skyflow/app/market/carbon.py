"""How clean the power of a region is expected to be, by a profile or by a live service."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.market.carbon_services import carbon_services, keys_that_help
from skyflow.catalog import Catalog
from skyflow.catalog.refresh.carbon import Grid, grids_of
from skyflow.catalog.refresh.web import Web
from skyflow.errors import UsageError
from skyflow.model.carbon import CarbonForecast, CarbonProfile

__all__ = ["ExpectedCarbon", "expected_carbon"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCarbon:
    """The yearly mean of a grid, and what is expected from some hours on, in g/kWh; `basis` says by whom."""

    grid: str
    mean: float
    basis: str
    hours: Sequence[tuple[datetime, float]]

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "grid": self.grid,
            "mean_gco2_per_kwh": self.mean,
            "basis": self.basis,
            "hours": [{"at": at.isoformat(), "gco2_per_kwh": round(grams, 1)} for at, grams in self.hours],
        }


def expected_carbon(
    catalog: Catalog,
    region: str,
    *,
    hours: int,
    is_live: bool = False,
    now: datetime | None = None,
    addresses: Mapping[str, str] = MappingProxyType({}),
) -> ExpectedCarbon:
    """Return what is expected of the grid of a region for the next hours.

    Raises:
        UsageError: no such region or nothing is known of its grid, or no live service covers it.
        CatalogError: the live service cannot be used.
    """
    known = catalog.grid_of(region)
    if known is None:
        names = sorted({one.region for one in catalog.index.regions})
        raise UsageError(
            f"nothing is known of the power in '{region}'",
            hint=did_you_mean(region, names, otherwise="`skyflow catalog list --format csv` has the regions"),
        )
    grid, mean = known
    moment = (now or SystemClock().now()).replace(minute=0, second=0, microsecond=0)
    if is_live:
        [place] = grids_of(catalog.directory, [region])
        forecast, basis = _live(place, moment, addresses)
    else:
        forecast, basis = _profile(catalog, grid, mean)
    return ExpectedCarbon(
        grid=grid,
        mean=mean,
        basis=basis,
        hours=[(at, forecast.gco2_per_kwh(at)) for at in (moment + timedelta(hours=hour) for hour in range(hours))],
    )


def _profile(catalog: Catalog, grid: str, mean: float) -> tuple[CarbonForecast, str]:
    profile = catalog.index.profile(grid, mean)
    if profile is not None:
        return profile, "by the hour of day and month"
    return CarbonProfile(mean, (1.0,) * (12 * 24)), "no profile is known, so every hour is the mean"


def _live(grid: Grid, now: datetime, addresses: Mapping[str, str]) -> tuple[CarbonForecast, str]:
    web = Web(time.sleep)  # noqa: TID251 -- waits for a service to be ready again
    for service in carbon_services(web, addresses=addresses):
        if service.covers(grid) and (forecast := service.forecast(grid, now)) is not None:
            return forecast, f"forecast by {service.title}"
    raise UsageError(f"no service can be asked for a forecast of the grid {grid.name}", hint=keys_that_help())
