"""What power a machine draws and what that emits.

    kWh   = (idle + (max - idle) * utilization) / 1000 * PUE * hours
    gCO2e = kWh * grams per kWh of the grid

`idle` and `max` are the watts of the rented share of the server, its accelerators included. PUE, the power usage
effectiveness, adds what the building draws beside its computers. The embodied share, what making the server has emitted
spread over its years of service, is known and does not count. The coefficients come with the catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["DEFAULT_UTILIZATION", "Footprint"]

DEFAULT_UTILIZATION = 0.5
"""The share of its power range at which a machine is taken to run where nobody says otherwise."""

_SECONDS_PER_HOUR = 3600.0
_WATTS_PER_KILOWATT = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The power of one offering, in watts, and the grid it is drawn from, in grams of CO2-equivalent per kWh.

    `grid` names the grid, for which there may be an hourly profile; it is empty where none is known.
    """

    idle_watts: float
    max_watts: float
    pue: float
    gco2_per_kwh: float
    embodied_g_per_hour: float = 0.0
    grid: str = ""

    def watts(self, utilization: float | None = None) -> float:
        """Return what the machine draws at a utilization from 0 to 1, without the building."""
        share = DEFAULT_UTILIZATION if utilization is None else utilization
        return self.idle_watts + (self.max_watts - self.idle_watts) * share

    def kilowatts(self, utilization: float | None = None) -> float:
        """Return what the machine draws, the building's share included."""
        return self.watts(utilization) / _WATTS_PER_KILOWATT * self.pue

    def energy_kwh(self, seconds: float, utilization: float | None = None) -> float:
        """Return the energy of so many seconds, the building's share included."""
        return self.kilowatts(utilization) * seconds / _SECONDS_PER_HOUR

    def gco2e(self, seconds: float, utilization: float | None = None) -> float:
        """Return the grams that so many seconds emit, at a utilization from 0 to 1, by default one half."""
        return self.energy_kwh(seconds, utilization) * self.gco2_per_kwh

    def times(self, machines: float) -> "Footprint":
        """Return the footprint of several such machines together, or of a part of one."""
        return replace(
            self,
            idle_watts=self.idle_watts * machines,
            max_watts=self.max_watts * machines,
            embodied_g_per_hour=self.embodied_g_per_hour * machines,
        )

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form, as in `schemas/plan.schema.json`."""
        return {
            "idle_watts": self.idle_watts,
            "max_watts": self.max_watts,
            "pue": self.pue,
            "gco2_per_kwh": self.gco2_per_kwh,
            "embodied_g_per_hour": self.embodied_g_per_hour,
            "grid": self.grid or None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Footprint":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
        """
        return cls(
            idle_watts=data["idle_watts"],
            max_watts=data["max_watts"],
            pue=data["pue"],
            gco2_per_kwh=data["gco2_per_kwh"],
            embodied_g_per_hour=data["embodied_g_per_hour"],
            grid=data["grid"] or "",
        )
