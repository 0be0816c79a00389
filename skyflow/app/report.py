"""Makes the report of a run: gathers what is stored, and as much of the logs as a page can carry."""

from collections.abc import Iterable
from pathlib import Path

from skyflow import __version__
from skyflow.app.clouds import open_journal
from skyflow.app.graph import expected_of_run, graph_of_run, needs_of_run, placements_of_run, plan_of_run
from skyflow.app.history import read_run, step_summaries
from skyflow.app.project import Project
from skyflow.app.run_frontier import frontier_of_run, is_quickly_found
from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.model.machines import MachineRecord
from skyflow.model.run import RunHistory
from skyflow.model.status import Conclusion
from skyflow.ports.clock import Clock
from skyflow.report.page.data import LogExcerpt, ReportData
from skyflow.report.page.render import render_report

__all__ = ["make_report"]

_ROOM_BYTES = 1_200_000
"""For the logs of all steps together; with markup and everything else, a page of 1,000 jobs stays below 3 MB."""
_ROOM_BYTES_LIVE = 120_000
"""The same for a page that is fetched anew several times a second."""
_ROOM_OF_FAILURES = 0.6
"""The share of it that failed steps may take first."""
_HEAD = 0.25
"""The share of what is shown of a long log that is its beginning; how it ended matters more."""


def make_report(
    project: Project, name: str, *, clock: Clock, write_token: str = "", with_frontier: bool | None = False
) -> tuple[RunHistory, str]:
    """Return a run and its report, a whole HTML page; one whose buttons have a `write_token` is served, and stays up to date.

    `with_frontier` looks for plans that the run could have had as well; None does where that is quick.

    Raises:
        UsageError: there is no such run.
    """
    history = read_run(project, name)
    folder = project.state.run(history.overview.run.id)
    expected = expected_of_run(history)
    plan = plan_of_run(history)
    wants_frontier = is_quickly_found(plan) if with_frontier is None else with_frontier
    data = ReportData(
        history=history,
        graph=graph_of_run(history, expected),
        plan=plan,
        needs=needs_of_run(history, expected),
        logs=_excerpts(folder, history, room=_ROOM_BYTES_LIVE if write_token else _ROOM_BYTES),
        summaries=tuple(step_summaries(folder, history.jobs)),
        made_at=clock.now(),
        version=__version__,
        machines=_machines(project, history),
        frontier=frontier_of_run(history.overview.run, project=project) if wants_frontier else (),
    )
    return history, render_report(data, placed=placements_of_run(history), write_token=write_token)


def _machines(project: Project, history: RunHistory) -> tuple[MachineRecord, ...]:
    """Return the machines that were rented for a run."""
    return tuple(record for record in open_journal(project).records() if record.run == history.overview.run.id)


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
    return {ref: _excerpt(folder.log(ref), size=sizes[ref], limit=limit) for ref, limit in limits.items()}


def _equal_part(sizes: Iterable[int], room: int) -> int:
    """Return the largest size to which all have to be cut down so that they fit; what small ones leave goes to the others."""
    ascending = sorted(sizes)
    for index, size in enumerate(ascending):
        part = room // (len(ascending) - index)
        if size > part:
            return part
        room -= size
    return ascending[-1] if ascending else 0


def _excerpt(path: Path, *, size: int, limit: int) -> LogExcerpt:
    """Return whole lines of a log, its beginning and its end, of at most so many bytes."""
    with path.open("rb") as file:
        if size <= limit:
            return LogExcerpt(_text(file.read()))
        head = file.read(int(limit * _HEAD))
        head = head[: head.rfind(b"\n") + 1]
        file.seek(size - (limit - int(limit * _HEAD)))
        tail = file.read()
        tail = tail[tail.find(b"\n") + 1 :]
    return LogExcerpt(_text(head), size - len(head) - len(tail), _text(tail))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
