"""Machines that stay after their runs, in words."""

from collections.abc import Sequence
from datetime import datetime

from skyflow.model.machines import MachineRecord
from skyflow.model.resources import Market
from skyflow.model.units import format_duration, format_usd

__all__ = ["kept_text", "machine_text", "staying_text", "sum_text"]


def kept_text(record: MachineRecord, now: datetime) -> str:
    """Return which machine stays, of which job, and until when."""
    return f"{machine_text(record)}, {staying_text(record, now)}"


def staying_text(record: MachineRecord, now: datetime) -> str:
    """Return how long a machine stays."""
    if record.kept_until is None:
        return "left by a run that nobody drives"
    at = record.kept_until.astimezone()
    day = "" if at.date() == now.astimezone().date() else f"{at:%Y-%m-%d} "
    left = (record.kept_until - now).total_seconds()
    return f"kept until {day}{at:%H:%M}" + (f" ({format_duration(left)} more)" if left > 0 else ", which is over")


def sum_text(records: Sequence[MachineRecord]) -> str:
    """Return how many machines there are, and what they cost together."""
    count = "1 machine" if len(records) == 1 else f"{len(records)} machines"
    return f"{count}, {format_usd(sum(each.offering.price_usd_per_hour for each in records))} per hour"


def machine_text(record: MachineRecord) -> str:
    """Return which machine it is, of which job."""
    offering = record.offering
    spot = " spot" if offering.market is Market.SPOT else ""
    return f"{record.user[0]}: {offering.instance_type}{spot} in {offering.provider}/{offering.place.name}"
