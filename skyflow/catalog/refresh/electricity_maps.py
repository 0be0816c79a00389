"""Electricity Maps: lifecycle intensities of nearly all grids, measured and forecast."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from skyflow.catalog.refresh.carbon import Grid, Hour, HourlyForecast, in_order, spans
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError

__all__ = ["ElectricityMaps"]

_LONGEST = timedelta(days=10)
"""The longest range of hours in one answer."""
_HORIZON_HOURS = 72


@dataclass(frozen=True, slots=True)
class ElectricityMaps:
    """Version 3 of the API, with the token of an account."""

    web: Web
    token: str
    base: str = "https://api.electricitymaps.com/v3/carbon-intensity"
    title: ClassVar[str] = "Electricity Maps"
    measures: ClassVar[bool] = True

    def covers(self, grid: Grid) -> bool:  # noqa: ARG002 -- grids have the names that it gives them
        """Say yes: which grids an account may ask for, only the service knows."""
        return True

    def hours(self, grid: Grid, start: datetime, end: datetime) -> list[Hour]:
        """Return what was measured."""
        found: list[Hour] = []
        for since, until in spans(start, end, _LONGEST):
            asked = {"zone": grid.name, "start": since.isoformat(), "end": until.isoformat()}
            found += _hours(self._answer("past-range", asked), "data", grid)
        return found

    def forecast(self, grid: Grid, now: datetime) -> HourlyForecast:  # noqa: ARG002 -- from now on is all it has
        """Return the next three days."""
        asked = {"zone": grid.name, "horizonHours": str(_HORIZON_HOURS)}
        return in_order(_hours(self._answer("forecast", asked), "forecast", grid), grid)

    def _answer(self, what: str, asked: dict[str, str]) -> Any:
        return self.web.json(f"{self.base}/{what}?{urlencode(asked)}", {"auth-token": self.token})


def _hours(answer: Any, key: str, grid: Grid) -> list[Hour]:
    try:
        return [
            (datetime.fromisoformat(entry["datetime"]), float(entry["carbonIntensity"]))
            for entry in answer[key]
            if entry["carbonIntensity"] is not None
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"Electricity Maps, {grid.name}: the answer has another shape: {error!r}") from error
