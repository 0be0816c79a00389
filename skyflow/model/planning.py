"""What a workflow asks of its plan: what to make small, and what no plan may exceed."""

from dataclasses import dataclass
from enum import StrEnum

from skyflow.model.objective import Goal
from skyflow.model.resources import RENTED

__all__ = ["DataPlace", "PlanSpec", "Quota", "Spill", "SpillReason", "Spilled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So much at one time of the machines somewhere.

    `scope` is `aws`, `aws/us-east-1` or `aws/us-east-1/p4d.24xlarge`. `unit` is `vcpus`, `machines` or the name of an
    accelerator. Each is written at its `said_at`, `FILE:LINE:COLUMN`.
    """

    scope: str
    unit: str
    amount: float
    scope_said_at: str
    unit_said_at: str


class SpillReason(StrEnum):
    """Why a job may leave the machines that are there for ones that are rented."""

    POOL_FULL = "pool-full"
    """It would have to wait for a machine longer than it may."""
    DEADLINE_AT_RISK = "deadline-at-risk"
    """The run would miss its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spill:
    """The machines that are there first: the project's own, and this one; those of `to` only for one of the reasons in `when`.

    It says nothing of jobs that cannot run on a machine that is there. `after_seconds` is how long a job waits for one.
    """

    after_seconds: float = 0.0
    when: tuple[SpillReason, ...] = tuple(SpillReason)
    to: tuple[str, ...] = RENTED


@dataclass(frozen=True, slots=True)
class Spilled:
    """Why a job is rented a machine: the seconds that it would have waited, or that the run would have been late by."""

    reason: SpillReason
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """`plan` of a workflow; None and empty tuples where it says nothing.

    `residency` are jurisdictions (`EU`), countries (`DE`), providers (`aws`), regions (`eu-west-1`, `aws/eu-west-1`) or
    `local`: every job has to run in one of them. `residency_said_at` are where they are written, `FILE:LINE:COLUMN`.
    """

    goal: Goal | None = None
    deadline_seconds: float | None = None
    wait_seconds: float | None = None
    budget_usd: float | None = None
    carbon_grams: float | None = None
    residency: tuple[str, ...] = ()
    residency_said_at: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    max_machines: int | None = None
    spill: Spill | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlace:
    """Data that a job reads from outside of the run, or has to leave there.

    `uri` is the author's; `region` is the author's too, `aws/us-east-1`, or `local` for `file:`; it is written
    at `said_at`, `FILE:LINE:COLUMN`.
    """

    uri: str
    gigabytes: float
    region: str
    is_output: bool
    said_at: str
