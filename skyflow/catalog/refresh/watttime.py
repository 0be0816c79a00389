"""WattTime: average intensities of grids all over the world, found by where a data centre stands.

Its best known signal is marginal, what one more kWh emits; that cannot stand beside averages, so `co2_aoer` is asked for.
An account may ask for what it has subscribed to; a new one for the marginal signal of northern California alone.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from skyflow.catalog.refresh.carbon import Grid, Hour, HourlyForecast, in_order, spans
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError

__all__ = ["WattTime"]

_T = TypeVar("_T")

_SIGNAL = "co2_aoer"
_UNITS = "lbs_co2_per_mwh"
_GRAMS_PER_KWH = 0.45359237
"""Of one pound per megawatt-hour."""
_LONGEST = timedelta(days=30)
"""The longest range that one answer covers is 32 days."""
_HORIZON_HOURS = "72"


@dataclass(frozen=True, slots=True)
class WattTime:
    """Version 3 of the API, with the name and password of an account."""

    web: Web
    user: str
    password: str
    base: str = "https://api.watttime.org"
    title: ClassVar[str] = "WattTime"
    measures: ClassVar[bool] = True

    def covers(self, grid: Grid) -> bool:
        """Tell whether it is known where the grid is."""
        return grid.latitude is not None and grid.longitude is not None

    def hours(self, grid: Grid, start: datetime, end: datetime) -> list[Hour]:
        """Return what was measured, five minutes apart."""
        token = self._token()  # lives for half an hour, longer than a year of one grid takes
        region = self._region(grid, token)
        found: list[Hour] = []
        for since, until in spans(start, end, _LONGEST):
            asked = {"region": region, "start": since.isoformat(), "end": until.isoformat()}
            found += self._points("historical", asked, token, grid)
        return found

    def forecast(self, grid: Grid, now: datetime) -> HourlyForecast:  # noqa: ARG002 -- from now on is all it has
        """Return the next three days."""
        token = self._token()
        asked = {"region": self._region(grid, token), "horizon_hours": _HORIZON_HOURS}
        return in_order(self._points("forecast", asked, token, grid), grid)

    def _token(self) -> str:
        pair = b64encode(f"{self.user}:{self.password}".encode()).decode()
        answer = self.web.json(f"{self.base}/login", {"Authorization": f"Basic {pair}"})
        return _in_shape(lambda: str(answer["token"]), "login")

    def _region(self, grid: Grid, token: str) -> str:
        where = {"latitude": f"{grid.latitude}", "longitude": f"{grid.longitude}"}
        answer = self._asked("region-from-loc", where, token)
        return _in_shape(lambda: str(answer["region"]), grid.name)

    def _points(self, what: str, asked: dict[str, str], token: str, grid: Grid) -> list[Hour]:
        answer = self._asked(what, asked, token)

        def points() -> list[Hour]:
            if answer["meta"]["units"] != _UNITS:
                raise ValueError(f"the unit is {answer['meta']['units']}")
            return [
                (datetime.fromisoformat(point["point_time"]), float(point["value"]) * _GRAMS_PER_KWH)
                for point in answer["data"]
            ]

        return _in_shape(points, grid.name)

    def _asked(self, what: str, asked: dict[str, str], token: str) -> Any:
        query = urlencode({**asked, "signal_type": _SIGNAL})
        return self.web.json(f"{self.base}/v3/{what}?{query}", {"Authorization": f"Bearer {token}"})


def _in_shape(read: Callable[[], _T], about: str) -> _T:
    try:
        return read()
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"WattTime, {about}: the answer has another shape: {error!r}") from error
