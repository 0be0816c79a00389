"""What rented machines have cost: their time, from when there was one until it was gone, at the price of the plan."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from skyflow.model.machines import MachineRecord

__all__ = ["CostBy", "Costs", "cost_lines", "costs_of"]

_SECONDS_PER_HOUR = 3600.0


class CostBy(StrEnum):
    """What costs can be told apart by."""

    RUN = "run"
    JOB = "job"
    CLOUD = "cloud"
    REGION = "region"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What some machines have cost so far: US dollars, hours, grams of CO2 equivalents (None where one is not known)."""

    machines: int
    running: int
    hours: float
    usd: float
    grams: float | None

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "machines": self.machines,
            "running": self.running,
            "hours": round(self.hours, 6),
            "usd": round(self.usd, 6),
            "grams": None if self.grams is None else round(self.grams, 3),
        }


def costs_of(records: Iterable[MachineRecord], now: datetime) -> Costs:
    """Return what machines have cost; those that were asked for and never made count for nothing."""
    made = [record for record in records if record.created_at is not None]
    grams = [_grams(record, now) for record in made]
    return Costs(
        machines=len(made),
        running=sum(record.gone_at is None for record in made),
        hours=sum(record.seconds(now) for record in made) / _SECONDS_PER_HOUR,
        usd=sum(record.cost_usd(now) for record in made),
        grams=None if None in grams else sum(each or 0.0 for each in grams),
    )


def cost_lines(records: Iterable[MachineRecord], by: CostBy, now: datetime) -> dict[str, Costs]:
    """Return the costs of groups of machines, by name; the dearest first, days in order.

    A job is named as in its workflow: the combinations of a matrix are one each. The day is that on which a machine was
    made, in UTC.
    """
    groups: dict[str, list[MachineRecord]] = {}
    for record in records:
        if record.created_at is not None:
            groups.setdefault(_NAMES[by](record), []).append(record)
    lines = {name: costs_of(group, now) for name, group in groups.items()}
    order = sorted(lines) if by is CostBy.DAY else sorted(lines, key=lambda name: (-lines[name].usd, name))
    return {name: lines[name] for name in order}


def _grams(record: MachineRecord, now: datetime) -> float | None:
    footprint = record.offering.footprint
    return None if footprint is None else footprint.gco2e(record.seconds(now))


_NAMES: Mapping[CostBy, Callable[[MachineRecord], str]] = {
    CostBy.RUN: lambda record: record.run,
    CostBy.JOB: lambda record: record.job,
    CostBy.CLOUD: lambda record: record.offering.provider,
    CostBy.REGION: lambda record: f"{record.offering.provider}/{record.offering.region}",
    CostBy.DAY: lambda record: f"{record.created_at or record.intended_at:%Y-%m-%d}",
}
