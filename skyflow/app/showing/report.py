"""Makes the report of a run: gathers what is stored, and as much of the logs as a page can carry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from skyflow import __version__
from skyflow.app.planning.expansion import ExpectedJobs
from skyflow.app.project import Project
from skyflow.app.showing.graph import expected_of_run, graph_of_run, needs_of_run
from skyflow.app.showing.history import read_run, step_summaries
from skyflow.app.showing.log_excerpts import excerpt
from skyflow.app.showing.run_frontier import frontier_of_run, is_quickly_found
from skyflow.app.showing.run_plans import RunPlans, plans_of_run
from skyflow.model.execution import StepRef
from skyflow.model.history import RunHistory
from skyflow.model.layout import RunFolder
from skyflow.model.status import Conclusion
from skyflow.ports.clock import Clock
from skyflow.report.page.data import LogExcerpt, ReportData
from skyflow.report.page.render import render_report

__all__ = ["gather", "make_report"]

_ROOM_BYTES = 1_200_000
"""For the logs of all steps together; with markup and everything else, a page of 1,000 jobs stays below 3 MB."""
_ROOM_OF_FAILURES = 0.6
"""The share of it that failed steps may take first."""


def make_report(
    project: Project, name: str, *, clock: Clock, with_frontier: bool | None = False
) -> tuple[RunHistory, str]:
    """Return a run and its report, a whole HTML page.

    `with_frontier` looks for plans that the run could have had as well; None does where that is quick.

    Raises:
        UsageError: there is no such run.
    """
    history = read_run(project, name)
    folder = project.state.run(history.overview.run.id)
    plans = plans_of_run(history)
    wants_frontier = is_quickly_found(plans.current) if with_frontier is None else with_frontier
    data = gather(
        history,
        expected_of_run(history),
        plans,
        logs=_excerpts(folder, history, room=_ROOM_BYTES),
        summaries=step_summaries(folder, history.jobs),
        made_at=clock.now(),
    )
    if wants_frontier:
        data = replace(data, frontier=frontier_of_run(history.overview.run, project=project))
    return history, render_report(data)


def gather(
    history: RunHistory,
    expected: Sequence[ExpectedJobs],
    plans: RunPlans,
    *,
    logs: Mapping[StepRef, LogExcerpt],
    summaries: Iterable[tuple[str, str]],
    made_at: datetime,
) -> ReportData:
    """Return what a page shows of a run.

    Args:
        history: the run.
        expected: the jobs that it was expected to have.
        plans: its plans.
        logs: what there is room for of the logs.
        summaries: the name of a job with the Markdown of a step.
        made_at: the time.
    """
    placed = plans.placements(history)
    return ReportData(
        history=history,
        graph=graph_of_run(history, expected, placed=placed),
        plan=plans.current,
        placed=placed,
        planned_starts=plans.starts(history, placed),
        needs=needs_of_run(history, expected),
        logs=logs,
        summaries=tuple(summaries),
        made_at=made_at,
        version=__version__,
        replacements=plans.replacements,
    )


def _excerpts(folder: RunFolder, history: RunHistory, *, room: int) -> dict[StepRef, LogExcerpt]:
    """Return what there is room for of each step's log: failed steps first, then all an equal part."""
    sizes: dict[StepRef, int] = {}
    failed: set[StepRef] = set()
    for step in history.steps:
        ref = StepRef(step.job_key, step.attempt, step.position)
        try:
            size = folder.log(ref).stat().st_size
        except FileNotFoundError:
            continue
        if size:
            sizes[ref] = size
            if step.outcome is Conclusion.FAILURE:
                failed.add(ref)
    most = _equal_part([sizes[ref] for ref in failed], int(room * _ROOM_OF_FAILURES))
    limits = {ref: min(sizes[ref], most) for ref in failed}
    others = [ref for ref in sizes if ref not in failed]
    most = _equal_part([sizes[ref] for ref in others], room - sum(limits.values()))
    limits |= {ref: min(sizes[ref], most) for ref in others}
    return {ref: excerpt(folder.log(ref), size=sizes[ref], limit=limit) for ref, limit in limits.items()}


def _equal_part(sizes: Iterable[int], room: int) -> int:
    """Return the largest size to which all have to be cut down so that they fit; what small ones leave goes to the others."""
    ascending = sorted(sizes)
    for index, size in enumerate(ascending):
        part = room // (len(ascending) - index)
        if size > part:
            return part
        room -= size
    return ascending[-1] if ascending else 0
