"""What a report is made of, gathered by the layer above."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.execution import StepRef
from skyflow.model.graph import Graph
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Plan
from skyflow.model.run import RunHistory

__all__ = ["LogExcerpt", "ReportData"]


@dataclass(frozen=True, slots=True)
class LogExcerpt:
    """What a step printed: all of it, or its beginning and end, with how many bytes between them were left out."""

    head: str
    left_out_bytes: int = 0
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """A run with everything that is shown of it.

    `needs` says for each job, by its key, which other jobs it waited for; `summaries` has the name of a job with the Markdown
    of a step; `made_at` is the time of the report. `machines` were rented for the run; `frontier` are plans that none beats,
    empty where they were not looked for.
    """

    history: RunHistory
    graph: Graph
    plan: Plan | None
    needs: Mapping[str, tuple[str, ...]]
    logs: Mapping[StepRef, LogExcerpt]
    summaries: tuple[tuple[str, str], ...]
    made_at: datetime
    version: str
    machines: tuple[MachineRecord, ...] = ()
    frontier: tuple[Plan, ...] = ()
