"""Where each job runs: what a plan makes small, what it decided, what that costs and how well it is proven."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from skyflow.model.catalog import Offering
from skyflow.model.objective import Goal, Objective
from skyflow.model.planning import Spilled, SpillReason
from skyflow.model.recovery import Recovery, RecoveryStrategy
from skyflow.model.resources import Setup

__all__ = [
    "PLAN_FORMAT",
    "CostBreakdown",
    "Placement",
    "Plan",
    "PlanStatus",
    "Proof",
    "Transfer",
    "Waiting",
    "read_plan",
]

PLAN_FORMAT = "skyflow-plan/1"
"""The `format` of a plan's JSON form; the number grows with every change that an old reader would misread."""


class PlanStatus(StrEnum):
    """What is known about a plan, or about the problem it answers."""

    OPTIMAL = "optimal"
    """No plan has a smaller objective; proven."""
    FEASIBLE = "feasible"
    """Can be run as it stands and keeps all limits; a better plan may exist, by at most `Proof.gap`."""
    INFEASIBLE = "infeasible"
    """No plan exists. A solver may find so; a `Plan` is never made of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostBreakdown:
    """The US dollars of a plan, by what they are paid for."""

    compute_usd: float
    transfer_usd: float

    @property
    def total_usd(self) -> float:
        """Everything together."""
        return self.compute_usd + self.transfer_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """The data that one needed job hands over; zero gigabytes where the workflow declares none.

    `from_job` is the place (`s3://bucket` in `aws/us-east-1`) where the data comes from outside. `grams` are the CO2
    equivalents of moving it.
    """

    from_job: str
    gigabytes: float
    usd: float
    seconds: float
    grams: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The decision for one job, with the times and costs that follow from it.

    Times are seconds since the start of the run. `compute_usd` is the hourly price times `duration_seconds`, billed by
    the second. `is_duration_assumed` tells that the workflow gives no estimate and the documented default was used;
    `duration_source` says where the duration comes from, for people. `inputs` holds one entry per needed job, in the
    order of `needs`. `carbon_grams` are the CO2 equivalents of the machine, None where they are not known.

    Jobs with the same `machine` share one, each taking it over from the one before; it is empty on this machine.
    `startup_seconds` are those of the duration in which the machine starts, none on one that is taken over; `work_seconds`
    what the work alone takes, without that and without interruptions, None where nobody said.
    `not_before_seconds` is when a job starts at the earliest although its inputs are there: it waits for cleaner hours.
    `spilled` says why a job is rented a machine that could have one of those that are there. `setup` is how a rented machine
    has to be set up, `recovery` what follows when a spot machine is taken away.
    """

    job: str
    offering: Offering
    inputs: tuple[Transfer, ...]
    duration_seconds: float
    is_duration_assumed: bool
    start_seconds: float
    compute_usd: float
    duration_source: str = ""
    carbon_grams: float | None = None
    machine: str = ""
    startup_seconds: float = 0.0
    work_seconds: float | None = None
    not_before_seconds: float = 0.0
    spilled: Spilled | None = None
    setup: Setup | None = None
    recovery: Recovery | None = None

    @property
    def finish_seconds(self) -> float:
        """When the job is expected to end."""
        return self.start_seconds + self.duration_seconds

    @property
    def transfer_usd(self) -> float:
        """What bringing all inputs here costs."""
        return sum(transfer.usd for transfer in self.inputs)

    @property
    def transfer_gb(self) -> float:
        """How much comes in."""
        return sum(transfer.gigabytes for transfer in self.inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How well the objective is known.

    `value` is the plan's objective and `bound` what no plan can be below, in dollars, seconds or grams; `gap` is
    (value - bound) / value. `method` is `direct` (nothing to choose), `bounds` (proven without a solver, or as far as
    that went), `cbc` or `highs`. `seconds` is the time planning took; two plans that differ in nothing else are equal.
    """

    value: float
    bound: float
    method: str
    seconds: float = field(compare=False)

    @property
    def gap(self) -> float:
        """The largest share of the value that a better plan could save; 0 when proven optimal."""
        return max(0.0, self.value - self.bound) / self.value if self.value > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is saved by jobs that wait, and how much later the run ends, against the same machines without waiting."""

    saved_grams: float
    saved_usd: float
    later_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where and when every job runs.

    `placements` stand in an order in which they can run: every job after all that it needs. `local_slots` is how many
    jobs the local machine takes at once. `notes` are sentences for the user. `goal` says what a weighting counts, None
    for a single objective. `limits` are what the plan was not to exceed: `usd`, `grams`, `seconds`. `outputs` is the
    data that has to end somewhere, with the job that makes it in `from_job`. `begins_at` is when the run is to begin, in
    UTC, where the emissions of its jobs depend on that; `waiting` what it brings that some of them wait.
    """

    objective: Objective
    status: PlanStatus
    placements: tuple[Placement, ...]
    proof: Proof
    local_slots: int
    notes: tuple[str, ...] = ()
    goal: Goal | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    outputs: tuple[Transfer, ...] = ()
    begins_at: datetime | None = None
    waiting: Waiting | None = None

    @property
    def cost(self) -> CostBreakdown:
        """What the plan costs."""
        return CostBreakdown(
            compute_usd=sum(placement.compute_usd for placement in self.placements),
            transfer_usd=sum(placement.transfer_usd for placement in self.placements)
            + sum(transfer.usd for transfer in self.outputs),
        )

    @property
    def carbon_grams(self) -> float | None:
        """The CO2 equivalents of machines and transfers; None where those of a machine are not known."""
        is_known = all(placement.carbon_grams is not None for placement in self.placements)
        return self.known_carbon_grams if is_known else None

    @property
    def known_carbon_grams(self) -> float:
        """The CO2 equivalents of machines and transfers; those that are not known count as none."""
        machines = sum(placement.carbon_grams or 0.0 for placement in self.placements)
        transfers = sum(transfer.grams for placement in self.placements for transfer in placement.inputs)
        return machines + transfers + sum(one.grams for one in self.outputs)

    @property
    def value(self) -> float:
        """What the plan is judged by; emissions that are not known count as none."""
        goal = self.goal or Goal.of(self.objective)
        return goal.value(usd=self.cost.total_usd, grams=self.known_carbon_grams, seconds=self.makespan_seconds)

    @property
    def makespan_seconds(self) -> float:
        """Seconds from the start of the run until its last job has ended and its outputs are where they belong."""
        finishes = {placement.job: placement.finish_seconds for placement in self.placements}
        arrivals = [finishes[transfer.from_job] + transfer.seconds for transfer in self.outputs]
        return max((*finishes.values(), *arrivals), default=0.0)

    @property
    def price_dates(self) -> tuple[date, ...]:
        """The days on which the prices of the chosen offerings were taken, oldest first."""
        days = {placement.offering.price_date for placement in self.placements}
        return tuple(sorted(day for day in days if day is not None))

    def placement(self, job: str) -> Placement:
        """Return the decision for one job.

        Raises:
            KeyError: the plan has no such job.
        """
        for placement in self.placements:
            if placement.job == job:
                return placement
        raise KeyError(job)

    def recovering(self, strategy: RecoveryStrategy) -> "Plan":
        """Return the same plan with another strategy wherever a spot machine is taken away.

        Raises:
            ValueError: it is `deadline`, and a job has no pace to keep.
        """
        placements = (
            replace(one, recovery=one.recovery.by(strategy)) if one.recovery is not None else one
            for one in self.placements
        )
        return replace(self, placements=tuple(placements))

    def moving(self, job: str, offering: Offering) -> "Plan":
        """Return the same plan with a job on another offering of the same place, on which it takes as long."""
        placements = (
            replace(one, offering=offering, compute_usd=offering.price_usd_per_hour * one.duration_seconds / 3600)
            if one.job == job
            else one
            for one in self.placements
        )
        return replace(self, placements=tuple(placements))

    def keeping_pace(self, before: "Plan", seconds: float) -> "Plan":
        """Return this plan, which begins so many seconds after the run, with paces that count from when the run began.

        A job that had one in the plan before keeps that.
        """
        had = {one.job: one.recovery.pace for one in before.placements if one.recovery is not None}
        placements = []
        for one in self.placements:
            recovery = one.recovery
            if recovery is not None and recovery.pace is not None:
                old, pace = had.get(one.job), recovery.pace.shifted(seconds)
                if old is not None:
                    pace = replace(pace, begins_at=old.begins_at, ends_at=old.ends_at)
                recovery = replace(recovery, pace=pace)
            placements.append(replace(one, recovery=recovery))
        return replace(self, placements=tuple(placements))

    @property
    def moments(self) -> Mapping[str, datetime]:
        """The moments that jobs wait for, by job; one that starts when its inputs are there has none."""
        if self.begins_at is None:
            return {}
        waits = ((placement.job, placement.not_before_seconds) for placement in self.placements)
        return {job: self.begins_at + timedelta(seconds=seconds) for job, seconds in waits if seconds}

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form, as in `schemas/plan.schema.json`."""
        cost = self.cost
        return {
            "format": PLAN_FORMAT,
            "objective": self.objective.value,
            "status": self.status.value,
            "cost": {
                "compute_usd": cost.compute_usd,
                "transfer_usd": cost.transfer_usd,
                "total_usd": cost.total_usd,
            },
            "carbon_grams": self.carbon_grams,
            "begins_at": self.begins_at.isoformat() if self.begins_at else None,
            "makespan_seconds": self.makespan_seconds,
            "waiting": (
                {
                    "saved_grams": self.waiting.saved_grams,
                    "saved_usd": self.waiting.saved_usd,
                    "later_seconds": self.waiting.later_seconds,
                }
                if self.waiting
                else None
            ),
            "weights": (
                {"usd": self.goal.usd, "grams": self.goal.grams, "seconds": self.goal.seconds} if self.goal else None
            ),
            "limits": dict(self.limits),
            "proof": {
                "value": self.proof.value,
                "bound": self.proof.bound,
                "gap": self.proof.gap,
                "method": self.proof.method,
                "seconds": self.proof.seconds,
            },
            "local_slots": self.local_slots,
            "price_dates": [day.isoformat() for day in self.price_dates],
            "notes": list(self.notes),
            "jobs": [_placement_to_json(placement) for placement in self.placements],
            "outputs": [_transfer_to_json(transfer) for transfer in self.outputs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """Read what `to_json` wrote; the figures that follow from others are computed again, not read.

        Raises:
            ValueError: this is not a plan, or one of another format.
        """
        if data.get("format") != PLAN_FORMAT:
            raise ValueError(f"not a plan: its format is {data.get('format')!r}, this skyflow reads {PLAN_FORMAT!r}")
        try:
            proof, weights, waiting = data["proof"], data.get("weights"), data.get("waiting")
            return cls(
                objective=Objective(data["objective"]),
                status=PlanStatus(data["status"]),
                placements=tuple(_placement_from_json(job) for job in data["jobs"]),
                proof=Proof(
                    value=proof["value"], bound=proof["bound"], method=proof["method"], seconds=proof["seconds"]
                ),
                local_slots=data["local_slots"],
                notes=tuple(data["notes"]),
                goal=Goal(objective=Objective.WEIGHTED, **weights) if weights else None,
                limits=dict(data.get("limits", {})),
                outputs=tuple(_transfer_from_json(transfer) for transfer in data.get("outputs", ())),
                begins_at=datetime.fromisoformat(data["begins_at"]) if data.get("begins_at") else None,
                waiting=Waiting(**waiting) if waiting else None,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:  # whoever wrote it
            raise ValueError(f"not a plan: {error}") from error


def read_plan(plan: object) -> Plan | None:
    """Return a plan from its JSON form; None if there is none to be read."""
    try:
        return Plan.from_json(plan) if isinstance(plan, Mapping) else None
    except ValueError:  # of another version
        return None


def _placement_to_json(placement: Placement) -> dict[str, object]:
    setup = placement.setup
    return {
        "job": placement.job,
        "offering": placement.offering.to_json(),
        "machine": placement.machine or None,
        "duration_seconds": placement.duration_seconds,
        "is_duration_assumed": placement.is_duration_assumed,
        "duration_source": placement.duration_source,
        "startup_seconds": placement.startup_seconds,
        "work_seconds": placement.work_seconds,
        "not_before_seconds": placement.not_before_seconds,
        "start_seconds": placement.start_seconds,
        "finish_seconds": placement.finish_seconds,
        "compute_usd": placement.compute_usd,
        "transfer_usd": placement.transfer_usd,
        "carbon_grams": placement.carbon_grams,
        "spilled": (
            {"reason": placement.spilled.reason.value, "seconds": placement.spilled.seconds}
            if placement.spilled
            else None
        ),
        "setup": ({"disk_gib": setup.disk_gib, "ports": list(setup.ports), "image": setup.image} if setup else None),
        "recovery": placement.recovery.to_json() if placement.recovery else None,
        "inputs": [_transfer_to_json(transfer) for transfer in placement.inputs],
    }


def _placement_from_json(data: Mapping[str, Any]) -> Placement:
    spilled, setup = data.get("spilled"), data.get("setup")
    return Placement(
        job=data["job"],
        offering=Offering.from_json(data["offering"]),
        inputs=tuple(_transfer_from_json(transfer) for transfer in data["inputs"]),
        duration_seconds=data["duration_seconds"],
        is_duration_assumed=data["is_duration_assumed"],
        start_seconds=data["start_seconds"],
        compute_usd=data["compute_usd"],
        duration_source=data.get("duration_source", ""),
        carbon_grams=data.get("carbon_grams"),
        machine=data.get("machine") or "",
        startup_seconds=data.get("startup_seconds", 0.0),
        work_seconds=data.get("work_seconds"),
        not_before_seconds=data.get("not_before_seconds", 0.0),
        spilled=Spilled(SpillReason(spilled["reason"]), spilled["seconds"]) if spilled else None,
        setup=Setup(disk_gib=setup["disk_gib"], ports=tuple(setup["ports"]), image=setup["image"]) if setup else None,
        recovery=Recovery.from_json(data["recovery"]) if data.get("recovery") else None,
    )


def _transfer_to_json(transfer: Transfer) -> dict[str, object]:
    return {
        "from_job": transfer.from_job,
        "gigabytes": transfer.gigabytes,
        "usd": transfer.usd,
        "seconds": transfer.seconds,
        "grams": transfer.grams,
    }


def _transfer_from_json(data: Mapping[str, Any]) -> Transfer:
    return Transfer(
        from_job=data["from_job"],
        gigabytes=data["gigabytes"],
        usd=data["usd"],
        seconds=data["seconds"],
        grams=data.get("grams", 0.0),
    )
