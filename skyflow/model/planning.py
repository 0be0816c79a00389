"""What a workflow asks of its plan: what to make small, and what no plan may exceed."""

from dataclasses import dataclass

from skyflow.model.objective import Goal

__all__ = ["DataPlace", "PlanSpec", "Quota"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So much at one time of the machines somewhere.

    `scope` is `aws`, `aws/us-east-1` or `aws/us-east-1/p4d.24xlarge`. `unit` is `vcpus`, `machines` or the name of an
    accelerator.
    """

    scope: str
    unit: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSpec:
    """`plan` of a workflow; None and empty tuples where it says nothing.

    `residency` are jurisdictions (`EU`), countries (`DE`), providers (`aws`), regions (`eu-west-1`, `aws/eu-west-1`) or
    `local`: every job has to run in one of them.
    """

    goal: Goal | None = None
    deadline_seconds: float | None = None
    budget_usd: float | None = None
    carbon_grams: float | None = None
    residency: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    max_machines: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlace:
    """Data that a job reads from outside of the run, or has to leave there.

    `uri` is the author's; `region` is the author's too, `aws/us-east-1`, or `local` for `file:`.
    """

    uri: str
    gigabytes: float
    region: str
    is_output: bool
