"""What a report is made of, gathered by the layer above."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.execution import StepRef
from skyflow.model.graph import Graph
from skyflow.model.history import RunHistory
from skyflow.model.placement import Placement, Plan
from skyflow.model.plan_view import PlanDiff

__all__ = ["LogExcerpt", "Replacement", "ReportData"]


@dataclass(frozen=True, slots=True)
class LogExcerpt:
    """What a step printed: all of it, or its beginning and end, with how many bytes between them were left out."""

    head: str
    left_out_bytes: int = 0
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A plan that took the place of another while the run went on: when, why, and what is different."""

    at: datetime
    why: str
    diff: PlanDiff


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """A run with everything that is shown of it.

    `placed` is the placement of each job, `planned_starts` when it was to begin by that, and `needs` says which other jobs
    it waited for, by keys; `summaries` has the name of a job with the Markdown of a step; `made_at` is the time of the
    report. `replacements` are those of the plan, oldest first; `frontier` are plans that none beats, empty where they were
    not looked for.
    """

    history: RunHistory
    graph: Graph
    plan: Plan | None
    placed: Mapping[str, Placement]
    planned_starts: Mapping[str, datetime]
    needs: Mapping[str, tuple[str, ...]]
    logs: Mapping[StepRef, LogExcerpt]
    summaries: tuple[tuple[str, str], ...]
    made_at: datetime
    version: str
    replacements: tuple[Replacement, ...] = ()
    frontier: tuple[Plan, ...] = ()

    @property
    def first_plan(self) -> Plan | None:
        """The plan that the run began with; in one made later, what has ended costs nothing any more."""
        return self.replacements[0].diff.old if self.replacements else self.plan
