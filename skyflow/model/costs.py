"""What runs have cost: rented machines, from when there was one until it was gone, and data that left its place.

A machine costs its time at the price of the plan, data its bytes at the price of the tables that plans are made with.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from skyflow.model.machines import MachineRecord
from skyflow.model.transfers import TransferRecord, crossings

__all__ = ["CostBy", "Costs", "cost_lines", "costs_of"]

_SECONDS_PER_HOUR = 3600.0
_BYTES_PER_GB = 1e9


class CostBy(StrEnum):
    """What costs can be told apart by."""

    RUN = "run"
    JOB = "job"
    CLOUD = "cloud"
    REGION = "region"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What some machines and transfers have cost so far: US dollars, hours, grams of CO2 equivalents (None where one is not known).

    `data_gb` are the decimal gigabytes that went from one place to another, `data_usd` what that cost as far as it is known,
    which is not all of it unless `is_data_known`.
    """

    machines: int
    running: int
    hours: float
    usd: float
    grams: float | None
    data_gb: float = 0.0
    data_usd: float = 0.0
    is_data_known: bool = True

    @property
    def total_usd(self) -> float:
        """Machines and data."""
        return self.usd + self.data_usd

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "machines": self.machines,
            "running": self.running,
            "hours": round(self.hours, 6),
            "usd": round(self.usd, 6),
            "grams": None if self.grams is None else round(self.grams, 3),
            "data_gb": round(self.data_gb, 9),
            "data_usd": round(self.data_usd, 6),
            "is_data_known": self.is_data_known,
            "total_usd": round(self.total_usd, 6),
        }


def costs_of(records: Iterable[MachineRecord], now: datetime, transfers: Iterable[TransferRecord] = ()) -> Costs:
    """Return what machines and transfers have cost; machines that were asked for and never made count for nothing."""
    made = [record for record in records if record.created_at is not None]
    grams = [_grams(record, now) for record in made]
    moved = crossings(transfers)
    return Costs(
        machines=len(made),
        running=sum(record.gone_at is None for record in made),
        hours=sum(record.seconds(now) for record in made) / _SECONDS_PER_HOUR,
        usd=sum(record.cost_usd(now) for record in made),
        grams=None if None in grams else sum(each or 0.0 for each in grams),
        data_gb=sum(each.size for each in moved) / _BYTES_PER_GB,
        data_usd=sum(each.usd or 0.0 for each in moved),
        is_data_known=all(each.usd is not None for each in moved),
    )


def cost_lines(
    records: Iterable[MachineRecord], by: CostBy, now: datetime, transfers: Iterable[TransferRecord] = ()
) -> dict[str, Costs]:
    """Return the costs of groups, by name; the dearest first, days in order.

    A job is named as in its workflow: the combinations of a matrix are one each. The day is that on which a machine was
    made or data was moved, in UTC. Data counts for the cloud and the region that it left.
    """
    groups: dict[str, tuple[list[MachineRecord], list[TransferRecord]]] = {}
    for record in records:
        if record.created_at is not None:
            groups.setdefault(_NAMES[by](record), ([], []))[0].append(record)
    for transfer in crossings(transfers):
        groups.setdefault(_DATA_NAMES[by](transfer), ([], []))[1].append(transfer)
    lines = {name: costs_of(machines, now, moved) for name, (machines, moved) in groups.items()}
    order = sorted(lines) if by is CostBy.DAY else sorted(lines, key=lambda name: (-lines[name].total_usd, name))
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
_DATA_NAMES: Mapping[CostBy, Callable[[TransferRecord], str]] = {
    CostBy.RUN: lambda transfer: transfer.run,
    CostBy.JOB: lambda transfer: transfer.job,
    CostBy.CLOUD: lambda transfer: transfer.source.provider if transfer.source else "unknown",
    CostBy.REGION: lambda transfer: (
        f"{transfer.source.provider}/{transfer.source.region}" if transfer.source else "unknown"
    ),
    CostBy.DAY: lambda transfer: f"{transfer.at:%Y-%m-%d}",
}
