"""The page of machines: what was rented for the runs of a project, what that has cost, and what exists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.machines import Machine, MachineRecord
from skyflow.model.resources import Market
from skyflow.report.page.live import rendered

__all__ = ["CloudsAnswer", "render_machines_page"]

_MOST_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudsAnswer:
    """What the clouds said: machines with their price by the hour and cost so far, who answered, and why others did not."""

    machines: Sequence[tuple[Machine, float | None, float | None]]
    answered: Sequence[str]
    silent: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    machine: str
    provider: str
    place: str
    run: int | None
    job: str
    state: str
    is_there: bool
    since: datetime
    usd_per_hour: float
    usd: float


def render_machines_page(
    records: Sequence[MachineRecord],
    numbers: Mapping[str, int],
    clouds: CloudsAnswer | None,
    *,
    now: datetime,
    root: str,
) -> str:
    """Return the page.

    Args:
        records: what is remembered, oldest first.
        numbers: the numbers of the runs that are known, by their ids.
        clouds: what the clouds said; None if nobody asked them.
        now: the time.
        root: the folder of the project.
    """
    rows = [_row(record, numbers.get(record.run), now) for record in reversed(records)]
    return rendered("machines.html", place="/machines", records=rows, most=_MOST_ROWS, clouds=clouds, root=root)


def _state(record: MachineRecord, now: datetime) -> str:
    if record.gone_at is not None:
        return "gone"
    if record.kept_until is not None:
        is_over = "" if record.is_kept(now) else ", which is over"
        return f"kept until {record.kept_until.astimezone():%H:%M}{is_over}"
    return "asked for" if record.created_at is None else "there"


def _row(record: MachineRecord, run: int | None, now: datetime) -> _Row:
    offering = record.offering
    is_there = record.created_at is not None and record.gone_at is None
    return _Row(
        machine=offering.instance_type + (" spot" if offering.market is Market.SPOT else ""),
        provider=offering.provider,
        place=offering.place.name,
        run=run,
        job=record.job,
        state=_state(record, now),
        is_there=is_there,
        since=record.created_at or record.intended_at,
        usd_per_hour=offering.price_usd_per_hour,
        usd=record.cost_usd(now),
    )
