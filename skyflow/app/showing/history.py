"""What is remembered of runs, for looking at."""

from collections.abc import Sequence
from pathlib import Path

from skyflow.app.project import Project
from skyflow.model.history import RunHistory
from skyflow.model.layout import RunFolder
from skyflow.model.run import ANY_RUN, JobRecord, RunFilter, RunId, RunOverview
from skyflow.runners.remote.note import hosts_in
from skyflow.store.lease import is_leased
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store
from skyflow.store.transfers import TransferStore

__all__ = ["find_run", "list_runs", "read_run", "step_summaries", "stored_jobs", "summaries_of_job"]


def list_runs(project: Project, *, limit: int, wanted: RunFilter = ANY_RUN) -> list[RunOverview]:
    """Return the newest runs that are wanted, newest first; none where nothing was ever run."""
    if not project.state.database.exists():
        return []
    with open_store(project.state, create=False) as store:
        return [
            RunOverview(run=run, is_driven=is_leased(project.state.run(run.id)))
            for run in store.latest_runs(limit, wanted)
        ]


def find_run(project: Project, name: str) -> RunId:
    """Return which run is meant by a number, the beginning of an id, or `latest`.

    Raises:
        UsageError: there is no such run.
    """
    with open_store(project.state, create=False) as store:
        return store.find_run(name).id


def stored_jobs(project: Project, run: RunId) -> tuple[JobRecord, ...]:
    """Return the jobs of a run as they are stored."""
    with open_store(project.state, create=False) as store:
        return tuple(store.jobs(run))


def read_run(project: Project, name: str) -> RunHistory:
    """Return all that is stored of a run.

    Raises:
        UsageError: there is no such run.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        folder, attempts = project.state.run(run.id), tuple(store.attempts(run.id))
        hosts = {(each.job_key, each.number): hosts_in(folder.host(each.job_key, each.number)) for each in attempts}
        return RunHistory(
            overview=RunOverview(run=run, is_driven=is_leased(folder)),
            jobs=tuple(store.jobs(run.id)),
            attempts=attempts,
            steps=tuple(store.steps(run.id)),
            annotations=tuple(store.annotations(run.id)),
            superseded=tuple(store.superseded_plans(run.id)),
            machines=tuple(machine_records(store, run.id)),
            transfers=tuple(TransferStore(store).transfers(run.id)),
            hosts={which: names for which, names in hosts.items() if names},
        )


def step_summaries(folder: RunFolder, jobs: Sequence[JobRecord]) -> list[tuple[str, str]]:
    """Return the step summaries of every job's last attempt: the job's name and the Markdown."""
    return [(job.name, text) for job in jobs for text in summaries_of_job(folder, job.key)]


def summaries_of_job(folder: RunFolder, job_key: str) -> list[str]:
    """Return the step summaries of a job's last attempt, Markdown."""
    found = (path for path in (folder.root / job_key).glob("*") if path.name.isdigit())
    attempts = sorted(found, key=lambda path: int(path.name))
    files = sorted(attempts[-1].glob("*.md"), key=_place) if attempts else ()
    return [file.read_text(encoding="utf-8", errors="replace") for file in files]


def _place(summary: Path) -> tuple[int, ...]:
    """Return the position of a step, and of the steps inside its action, from the name of its summary."""
    return tuple(int(part) for part in summary.stem.split("."))
