"""What is said about a plan beside the plan itself: alternatives, the cost of limits, comparisons, changes."""

from dataclasses import dataclass

from skyflow.model.catalog import Offering
from skyflow.model.placement import Placement, Plan

__all__ = ["Alternative", "Change", "Comparison", "Explanation", "LimitCost", "PlanDiff"]


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
class Explanation:
    """Why a job runs where it does: the best alternative of each region, the best first, of so many candidates."""

    placement: Placement
    candidates: int
    alternatives: tuple[Alternative, ...]

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "job": self.placement.job,
            "offering": self.placement.offering.to_json(),
            "duration_source": self.placement.duration_source,
            "candidates": self.candidates,
            "alternatives": [alternative.to_json() for alternative in self.alternatives],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCost:
    """What one limit or capacity costs: the plan without it is better by so much."""

    name: str
    saved_value: float
    saved_usd: float
    saved_seconds: float

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "name": self.name,
            "saved_value": self.saved_value,
            "saved_usd": self.saved_usd,
            "saved_seconds": self.saved_seconds,
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
