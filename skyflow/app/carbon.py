"""How clean the power of a region is expected to be, by a profile or by a live service."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.refresh import CARBON_KEY_VARIABLE
from skyflow.catalog import Catalog
from skyflow.catalog.refresh.carbon import electricity_maps_forecast, neso_forecast
from skyflow.catalog.refresh.web import Web
from skyflow.errors import UsageError
from skyflow.model.carbon import CarbonForecast, CarbonProfile

__all__ = ["ExpectedCarbon", "expected_carbon"]

_BRITAIN = "GB"


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
    sleep: Callable[[float], None] = time.sleep,  # noqa: TID251 -- waits for a service to be ready again
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
    forecast, basis = _live(grid, moment, sleep) if is_live else _profile(catalog, grid, mean)
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


def _live(grid: str, now: datetime, sleep: Callable[[float], None]) -> tuple[CarbonForecast, str]:
    token = os.environ.get(CARBON_KEY_VARIABLE)
    if token:
        return electricity_maps_forecast(Web(sleep, {"auth-token": token}), grid), "forecast by Electricity Maps"
    if grid == _BRITAIN:
        return neso_forecast(Web(sleep), now=now), "forecast by Britain's system operator"
    raise UsageError(f"no live service is known for the grid {grid}", hint=f"set {CARBON_KEY_VARIABLE} to a token")
