"""What is remembered of runs, for looking at."""

from collections.abc import Sequence
from pathlib import Path

from skyflow.app.project import Project
from skyflow.model.layout import RunFolder
from skyflow.model.run import ANY_RUN, JobRecord, RunFilter, RunHistory, RunOverview
from skyflow.store.lease import is_leased
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store
from skyflow.store.transfers import TransferStore

__all__ = ["list_runs", "read_run", "step_summaries"]


def list_runs(project: Project, *, limit: int, wanted: RunFilter = ANY_RUN) -> list[RunOverview]:
    """Return the newest runs that are wanted, newest first; none where nothing was ever run."""
    if not project.state.database.exists():
        return []
    with open_store(project.state, create=False) as store:
        return [
            RunOverview(run=run, is_driven=is_leased(project.state.run(run.id)))
            for run in store.latest_runs(limit, wanted)
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
            superseded=tuple(store.superseded_plans(run.id)),
            machines=tuple(machine_records(store, run.id)),
            transfers=tuple(TransferStore(store).transfers(run.id)),
        )


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
