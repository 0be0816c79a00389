"""Britain's National Energy System Operator: the grid `GB`, two days ahead, without a key."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from skyflow.catalog.refresh.carbon import Grid, Hour, HourlyForecast, in_order
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError

__all__ = ["NationalEnergySystemOperator"]


@dataclass(frozen=True, slots=True)
class NationalEnergySystemOperator:
    """The Carbon Intensity API; it counts what power stations burn, not what building them emitted.

    So what it has measured does not stand beside lifecycle figures, and only its forecast is used.
    """

    web: Web
    base: str = "https://api.carbonintensity.org.uk/intensity"
    title: ClassVar[str] = "Britain's system operator"
    measures: ClassVar[bool] = False

    def covers(self, grid: Grid) -> bool:
        """Tell whether this is Britain's grid."""
        return grid.name == "GB"

    def hours(self, grid: Grid, start: datetime, end: datetime) -> list[Hour]:  # noqa: ARG002 -- see the class
        """Return nothing."""
        return []

    def forecast(self, grid: Grid, now: datetime) -> HourlyForecast:
        """Return the next two days."""
        answer = self.web.json(f"{self.base}/{now:%Y-%m-%dT%H:%MZ}/fw48h")
        try:
            found = [
                (datetime.fromisoformat(entry["from"]), float(entry["intensity"]["forecast"]))
                for entry in answer["data"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise CatalogError(f"{self.title}: the answer has another shape: {error!r}") from error
        return in_order(found, grid)
