"""What a run was planned to cost and to emit, and what came of it: by job, by region, by cloud."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from skyflow.model.catalog import Offering
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Placement, Plan
from skyflow.model.resources import RENTED
from skyflow.model.run import AttemptRecord
from skyflow.model.transfers import TransferRecord
from skyflow.model.units import format_grams

__all__ = [
    "CostRow",
    "Costs",
    "Grams",
    "Spent",
    "costs_of_run",
    "spent_by_attempt",
    "spent_by_machine",
    "spent_on_data",
]

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Grams:
    """CO2 equivalents as far as they are known; `is_all` tells that those of no machine are missing."""

    known: float
    is_all: bool

    def __str__(self) -> str:
        """Return `250 g`, `250 g + ?`, `?`."""
        if self.is_all:
            return format_grams(self.known)
        return f"{format_grams(self.known)} + ?" if self.known else "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The jobs that something adds up over.

    `planned_usd` is for machines, `transfer_usd` for data, as planned too; `data_usd` is what data has cost, as far as it
    is known.
    """

    name: tuple[str, ...]
    jobs: int
    planned_usd: float
    transfer_usd: float
    actual_usd: float
    data_usd: float
    planned_grams: Grams
    actual_grams: Grams


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The same money and emissions, added up in several ways; the dearest row first. `is_rented` tells of real machines."""

    total: CostRow
    by_cloud: tuple[CostRow, ...]
    by_region: tuple[CostRow, ...]
    by_job: tuple[CostRow, ...]
    is_rented: bool

    @property
    def actual_usd(self) -> float:
        """What machines and data have cost."""
        return self.total.actual_usd + self.total.data_usd

    @property
    def planned_usd(self) -> float:
        """What machines and data were planned to cost."""
        return self.total.planned_usd + self.total.transfer_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one attempt has cost on one machine, or in all: US dollars and grams of CO2 equivalents; None if not known.

    `data_usd` is what data has cost that was moved for it.
    """

    job: str
    offering: Offering
    usd: float
    grams: float | None
    is_rented: bool
    data_usd: float = 0.0


def costs_of_run(plan: Plan | None, spent: Iterable[Spent]) -> Costs | None:
    """Return the costs of a run; None where nothing has a price.

    Args:
        plan: the one that the run began with: in one made later, what has ended costs nothing any more.
        spent: what its attempts have cost on each of their machines, and for data.
    """
    attempts = list(spent)
    if plan is None or not (plan.cost.total_usd or any(one.usd or one.data_usd for one in attempts)):
        return None
    planned = plan.placements
    return Costs(
        total=_row((), planned, attempts),
        by_cloud=_grouped(planned, attempts, lambda _, offering: (offering.provider,)),
        by_region=_grouped(planned, attempts, lambda _, offering: (offering.provider, offering.region)),
        by_job=_grouped(planned, attempts, lambda job, _: (job,)),
        is_rented=any(one.is_rented for one in attempts),
    )


def spent_by_attempt(
    attempts: Iterable[AttemptRecord],
    placed: Mapping[str, Placement],
    machines: Iterable[MachineRecord],
    *,
    now: datetime,
) -> dict[tuple[str, int], Spent]:
    """Return what each attempt has cost, by job and number; its offering is that of the machine it had last.

    Arguments are those of `spent_by_machine`.
    """
    found: dict[tuple[str, int], Spent] = {}
    for key, one in spent_by_machine(attempts, placed, machines, now=now):
        before = found.get(key)
        if before is not None:
            grams = None if before.grams is None or one.grams is None else before.grams + one.grams
            one = replace(one, usd=before.usd + one.usd, grams=grams)  # noqa: PLW2901 -- the sum so far
        found[key] = one
    return found


def spent_by_machine(
    attempts: Iterable[AttemptRecord],
    placed: Mapping[str, Placement],
    machines: Iterable[MachineRecord],
    *,
    now: datetime,
) -> Iterator[tuple[tuple[str, int], Spent]]:
    """Yield what each machine of each attempt has cost, after the job and the number of the attempt.

    That is the time of the machines that were rented for it, until now where they are there; a machine that is taken over
    counts for the attempt it was made for. In a run without any it is the time of the attempt on the machine that was
    planned. A job that was not planned by itself counts for the matrix it is of.

    Args:
        attempts: the attempts.
        placed: the placement of each job, by its key.
        machines: those that were rented for the run, oldest first.
        now: the time.
    """
    rented: dict[tuple[str, int], list[MachineRecord]] = {}
    for record in machines:
        if record.created_at is not None:
            rented.setdefault((record.job, record.attempt), []).append(record)
    for attempt in attempts:
        key = (attempt.job_key, attempt.number)
        placement = placed.get(attempt.job_key)
        for record in rented.get(key, ()):
            offering, job = record.offering, record.job if placement is None else placement.job
            grams = _grams(offering, placement, record.seconds(now))
            yield key, Spent(job=job, offering=offering, usd=record.cost_usd(now), grams=grams, is_rented=True)
        if key in rented or placement is None:
            continue
        offering = placement.offering
        is_paid = bool(rented) and offering.provider in RENTED
        seconds = 0.0 if is_paid else ((attempt.completed_at or now) - attempt.started_at).total_seconds()
        usd, grams = seconds / _SECONDS_PER_HOUR * offering.price_usd_per_hour, _grams(offering, placement, seconds)
        yield key, Spent(job=placement.job, offering=offering, usd=usd, grams=grams, is_rented=is_paid)


def spent_on_data(transfers: Iterable[TransferRecord], placed: Mapping[str, Placement]) -> Iterator[Spent]:
    """Yield what data has cost, for the jobs that caused it to be moved; `placed` is as in `spent_by_machine`."""
    for each in transfers:
        placement = placed.get(each.job)
        if each.usd and placement is not None:
            offering = placement.offering
            yield Spent(job=placement.job, offering=offering, usd=0.0, grams=0.0, is_rented=False, data_usd=each.usd)


def _grams(offering: Offering, placement: Placement | None, seconds: float) -> float | None:
    """Return what so much time emits: at the rate that was planned where the machine is the same, else at half its load."""
    if placement is not None and placement.offering.id == offering.id and placement.duration_seconds:
        planned = placement.carbon_grams
        return None if planned is None else planned * seconds / placement.duration_seconds
    return None if offering.footprint is None else offering.footprint.gco2e(seconds)


def _grouped(
    planned: Iterable[Placement], spent: Iterable[Spent], name_of: Callable[[str, Offering], tuple[str, ...]]
) -> tuple[CostRow, ...]:
    expected: dict[tuple[str, ...], list[Placement]] = {}
    actual: dict[tuple[str, ...], list[Spent]] = {}
    for placement in planned:
        expected.setdefault(name_of(placement.job, placement.offering), []).append(placement)
    for one in spent:
        actual.setdefault(name_of(one.job, one.offering), []).append(one)
    rows = [_row(name, expected.get(name, ()), actual.get(name, ())) for name in dict.fromkeys((*expected, *actual))]
    return tuple(sorted(rows, key=lambda row: (-max(row.planned_usd + row.transfer_usd, row.actual_usd), row.name)))


def _row(name: tuple[str, ...], planned: Sequence[Placement], spent: Sequence[Spent]) -> CostRow:
    return CostRow(
        name=name,
        jobs=len({one.job for one in planned} | {one.job for one in spent}),
        planned_usd=sum(one.compute_usd for one in planned),
        transfer_usd=sum(one.transfer_usd for one in planned),
        actual_usd=sum(one.usd for one in spent),
        data_usd=sum(one.data_usd for one in spent),
        planned_grams=_grams_of([one.carbon_grams for one in planned]),
        actual_grams=_grams_of([one.grams for one in spent]),
    )


def _grams_of(values: Sequence[float | None]) -> Grams:
    return Grams(sum(value or 0.0 for value in values), None not in values)
