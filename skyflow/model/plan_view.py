"""What is said about a plan beside the plan itself: alternatives, the cost of limits, comparisons, changes."""

from dataclasses import dataclass

from skyflow.model.catalog import Offering
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Placement, Plan, Transfer

__all__ = [
    "Alternative",
    "Change",
    "Comparison",
    "DataReason",
    "Explanation",
    "Explored",
    "LimitCost",
    "PlanDiff",
    "Weights",
]

_DIGITS = 3
"""Prices are rounded to so many digits: nobody would write more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The best other choice for a job in one region, and what the whole plan would be more by if nothing else changed.

    `misses` are the limits that it would break.
    """

    offering: Offering
    more_value: float
    more_usd: float
    more_seconds: float
    more_grams: float
    misses: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "offering": self.offering.to_json(),
            "more_value": self.more_value,
            "more_usd": self.more_usd,
            "more_seconds": self.more_seconds,
            "more_grams": self.more_grams,
            "misses": list(self.misses),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DataReason:
    """What comes in from a job, or from a place outside of the run, and where the figures are from: its size, and the time that it takes."""

    transfer: Transfer
    size_source: str
    time_source: str

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "from_job": self.transfer.from_job,
            "gigabytes": self.transfer.gigabytes,
            "size_source": self.size_source,
            "seconds": self.transfer.seconds,
            "time_source": self.time_source,
            "usd": self.transfer.usd,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a job runs where it does: the best alternative of each region, the best first, of so many candidates."""

    placement: Placement
    candidates: int
    alternatives: tuple[Alternative, ...]
    data: tuple[DataReason, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "job": self.placement.job,
            "offering": self.placement.offering.to_json(),
            "duration_source": self.placement.duration_source,
            "recovery": self.placement.recovery.to_json() if self.placement.recovery else None,
            "candidates": self.candidates,
            "data": [reason.to_json() for reason in self.data],
            "alternatives": [alternative.to_json() for alternative in self.alternatives],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCost:
    """What one limit or capacity costs: the plan without it is better by so much."""

    name: str
    saved_value: float
    saved_usd: float
    saved_seconds: float
    saved_grams: float

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "name": self.name,
            "saved_value": self.saved_value,
            "saved_usd": self.saved_usd,
            "saved_seconds": self.saved_seconds,
            "saved_grams": self.saved_grams,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Another way to plan the same workflow; None where it is not possible."""

    name: str
    plan: Plan | None

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {"name": self.name, "plan": self.plan.to_json() if self.plan else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A job that runs elsewhere than before; None where it was not there, or is no more."""

    job: str
    old: Placement | None
    new: Placement | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDiff:
    """Two plans, and the jobs that run elsewhere."""

    old: Plan
    new: Plan
    changes: tuple[Change, ...]

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "more_usd": self.new.cost.total_usd - self.old.cost.total_usd,
            "more_seconds": self.new.makespan_seconds - self.old.makespan_seconds,
            "changes": [
                {
                    "job": change.job,
                    "old": change.old.offering.to_json() if change.old else None,
                    "new": change.new.offering.to_json() if change.new else None,
                }
                for change in self.changes
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much cost, time and carbon matter beside each other, from 0 to 100.

    They are shares of the cheapest plan: with equal weights, a plan may cost a tenth more that is a tenth of that plan's
    makespan faster.
    """

    cost: int
    time: int
    carbon: int

    def goal(self, cheapest: Plan) -> Goal:
        """Return what a plan is to make small. All weights zero are the same as only cost.

        Several weights become prices with three digits, as a workflow can say them.
        """
        usd, seconds, grams = _figures(cheapest)
        per_usd, per_second, per_gram = self.cost / usd, self.time / seconds, self.carbon / grams
        if not (self.time or self.carbon):
            return Goal.of(Objective.COST)
        if not (self.cost or self.carbon):
            return Goal.of(Objective.MAKESPAN)
        if not (self.cost or self.time):
            return Goal.of(Objective.CARBON)
        dollar = per_usd or per_second
        return Goal.weighted(
            cost=1.0 if self.cost else 0.0,
            usd_per_hour=_rounded(per_second / dollar * 3600) if self.cost else 3600.0,
            usd_per_tonne=_rounded(per_gram / dollar * 1e6),
        )

    @classmethod
    def of(cls, goal: Goal, cheapest: Plan) -> "Weights":
        """Return the weights that stand for a goal, the largest of them 100."""
        usd, seconds, grams = _figures(cheapest)
        shares = goal.usd * usd, goal.seconds * seconds, goal.grams * grams
        most = max(shares) or 1.0
        cost, time, carbon = (round(100 * share / most) for share in shares)
        return cls(cost=cost, time=time, carbon=carbon)


def _figures(cheapest: Plan) -> tuple[float, float, float]:
    """Return dollars, seconds and grams of a plan; 1 in place of nothing, which weighs nothing either."""
    return cheapest.cost.total_usd or 1.0, cheapest.makespan_seconds or 1.0, cheapest.known_carbon_grams or 1.0


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """One plan among those that are possible.

    `goal` and `weights` are what it was made for. `diff` holds it against the plan that the workflow asks for, or that the
    run has. `frontier` are plans that none beats, None unless they were asked for. `is_rest` tells that the run goes on, and
    only what is left of it is planned.
    """

    title: str
    goal: Goal
    weights: Weights
    diff: PlanDiff
    frontier: tuple[Plan, ...] | None
    has_choice: bool
    is_rest: bool
