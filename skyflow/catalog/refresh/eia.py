"""The U.S. Energy Information Administration: what the balancing authorities of the United States generate, by the hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from skyflow.catalog.refresh.carbon import Grid, Hour, spans
from skyflow.catalog.refresh.fuels import mean_intensity
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError

__all__ = ["Eia"]

_FUELS = {
    "COL": "coal", "NG": "gas", "OIL": "oil", "NUC": "nuclear", "WAT": "hydro", "SUN": "solar", "WND": "wind",
    "GEO": "geothermal",
}  # fmt: skip
_ROWS = 5000
"""The most rows of one answer."""
_LONGEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Eia:
    """Version 2 of the Open Data API, with a key."""

    web: Web
    key: str
    base: str = "https://api.eia.gov/v2/electricity/rto/fuel-type-data/data/"
    title: ClassVar[str] = "EIA"
    measures: ClassVar[bool] = True

    def covers(self, grid: Grid) -> bool:
        """Tell whether this is a grid of the United States; it is called after its balancing authority."""
        return grid.name.startswith("US-")

    def hours(self, grid: Grid, start: datetime, end: datetime) -> list[Hour]:
        """Return the intensity of what was generated."""
        mixes: dict[datetime, list[tuple[str, float]]] = {}
        for since, until in spans(start, end, _LONGEST):
            rows = self._rows(grid, since, until)
            try:
                for row in rows:
                    at = datetime.strptime(row["period"], "%Y-%m-%dT%H").replace(tzinfo=UTC)
                    if row["value"] is not None and at < end:
                        mixes.setdefault(at, []).append((_FUELS.get(row["fueltype"], ""), float(row["value"])))
            except (KeyError, TypeError, ValueError) as error:
                raise CatalogError(f"EIA, {grid.name}: the answer has another shape: {error!r}") from error
        means = ((at, mean_intensity(mix)) for at, mix in sorted(mixes.items()))
        return [(at, grams) for at, grams in means if grams is not None]

    def forecast(self, grid: Grid, now: datetime) -> None:
        """Return nothing: what is generated is not forecast."""

    def _rows(self, grid: Grid, start: datetime, end: datetime) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            asked = {
                "api_key": self.key, "frequency": "hourly", "data[0]": "value",
                "facets[respondent][]": grid.name.rpartition("-")[2], "start": f"{start:%Y-%m-%dT%H}",
                "end": f"{end - timedelta(hours=1):%Y-%m-%dT%H}", "sort[0][column]": "period",
                "sort[0][direction]": "asc", "offset": str(len(found)), "length": str(_ROWS),
            }  # fmt: skip
            answer = self.web.json(f"{self.base}?{urlencode(asked)}")
            try:
                rows, total = list(answer["response"]["data"]), int(answer["response"]["total"])
            except (KeyError, TypeError, ValueError) as error:
                raise CatalogError(f"EIA, {grid.name}: the answer has another shape: {error!r}") from error
            found += rows
            if not rows or len(found) >= total:
                return found
