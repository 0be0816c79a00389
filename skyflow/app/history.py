"""What is remembered of runs, for looking at."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from skyflow._util.text import did_you_mean
from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.model.run import JobRecord, RunHistory, RunOverview
from skyflow.store.lease import is_leased
from skyflow.store.store import open_store

__all__ = ["list_runs", "read_run", "step_logs", "step_summaries"]


def list_runs(project: Project, *, limit: int) -> list[RunOverview]:
    """Return the newest runs, newest first; none where nothing was ever run."""
    if not project.state.database.exists():
        return []
    with open_store(project.state, create=False) as store:
        return [
            RunOverview(run=run, is_driven=is_leased(project.state.run(run.id))) for run in store.latest_runs(limit)
        ]


def read_run(project: Project, name: str) -> RunHistory:
    """Return all that is stored of a run.

    Raises:
        UsageError: there is no such run.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        return RunHistory(
            overview=RunOverview(run=run, is_driven=is_leased(project.state.run(run.id))),
            jobs=tuple(store.jobs(run.id)),
            attempts=tuple(store.attempts(run.id)),
            steps=tuple(store.steps(run.id)),
            annotations=tuple(store.annotations(run.id)),
        )


def step_logs(project: Project, history: RunHistory, *, job: str | None) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield a title and the lines of every step that ran, by job, attempt and step.

    Args:
        project: where the logs are.
        history: the run.
        job: only this one, named by its key, its id under `jobs:` or its display name; None for all.

    Raises:
        UsageError: the run has no such job.
    """
    folder = project.state.run(history.overview.run.id)
    for record in _chosen(history, job):
        attempts = history.attempts_of(record.key)
        for attempt in attempts:
            for step in history.steps_of(record.key, attempt.number):
                log = folder.log(StepRef(record.key, attempt.number, step.position))
                if log.exists():
                    title = record.name if len(attempts) == 1 else f"{record.name}, attempt {attempt.number}"
                    yield f"{title}: {step.name}", _lines(log.open(encoding="utf-8", errors="replace", newline="\n"))


def step_summaries(folder: RunFolder, jobs: Sequence[JobRecord]) -> list[tuple[str, str]]:
    """Return the step summaries of every job's last attempt: the job's name and the Markdown."""
    found: list[tuple[str, str]] = []
    for job in jobs:
        found_here = (path for path in (folder.root / job.key).glob("*") if path.name.isdigit())
        attempts = sorted(found_here, key=lambda path: int(path.name))
        files = sorted(attempts[-1].glob("*.md"), key=_place) if attempts else ()
        found += [(job.name, file.read_text(encoding="utf-8", errors="replace")) for file in files]
    return found


def _place(summary: Path) -> tuple[int, ...]:
    """Return the position of a step, and of the steps inside its action, from the name of its summary."""
    return tuple(int(part) for part in summary.stem.split("."))


def _lines(stream: TextIO) -> Iterator[str]:
    with stream:
        for line in stream:
            yield line.rstrip("\n")


def _chosen(history: RunHistory, name: str | None) -> tuple[JobRecord, ...]:
    if name is None:
        return history.jobs
    lowered = name.lower()
    found = tuple(job for job in history.jobs if lowered in {job.key.lower(), job.spec_id.lower(), job.name.lower()})
    if not found:
        names = [job.name for job in history.jobs]
        raise UsageError(
            f"run {history.overview.run.number} has no job '{name}'",
            hint=did_you_mean(name, names, otherwise=f"it has {', '.join(names)}" if names else None),
        )
    return found
