"""Tells why a job was run rather than taken over from an earlier run."""

from collections.abc import Mapping
from dataclasses import dataclass

from skyflow.app.project import Project
from skyflow.app.showing.history import read_run
from skyflow.app.showing.logs import chosen_jobs
from skyflow.model.job_cache import CacheMode
from skyflow.model.run import JobRecord, RunRecord
from skyflow.model.status import Conclusion, Reason
from skyflow.report.words import reason_text
from skyflow.store.results import ResultStore
from skyflow.store.store import open_store

__all__ = ["JobReasons", "explain"]


@dataclass(frozen=True, slots=True)
class JobReasons:
    """Why one job was run or not: sentences."""

    job: JobRecord
    reasons: tuple[str, ...]


def explain(project: Project, run: str, job: str) -> tuple[RunRecord, tuple[JobReasons, ...]]:
    """Return why the jobs that a name stands for were run.

    Raises:
        UsageError: there is no such run or job.
    """
    history = read_run(project, run)
    record = history.overview.run
    with open_store(project.state, create=False) as store:
        results = ResultStore(store, record.workflow_path)
        reasons = tuple(
            JobReasons(each, tuple(_reasons(each, record.options.cache, results.lookup(record.id, each.key))))
            for each in chosen_jobs(history, job)
        )
    return record, reasons


_Lookup = tuple[Mapping[str, str], Mapping[str, str] | None]
"""What a job depends on, and what the result depended on that it was compared with, if there was one."""


def _reasons(job: JobRecord, mode: str, lookup: _Lookup | None) -> list[str]:
    if job.reason is Reason.REUSED:
        return [f"it was not run: {job.message or 'taken over from the run that this one retries'}"]
    if job.conclusion is Conclusion.SKIPPED:
        return [f"it was not run: {reason_text(job.reason, job.message)}"]
    if mode in _TOLD:
        return [f"the run was told `{_TOLD[mode]}`"]
    if lookup is None:
        return [
            "it is not one of the jobs that are remembered: it has no `cache`, and the run was not told `--changed`"
        ]
    return _changes(*lookup)


_TOLD: Mapping[str, str] = {CacheMode.OFF: "--no-cache", CacheMode.FORCE: "--force"}


def _changes(now: Mapping[str, str], before: Mapping[str, str] | None) -> list[str]:
    if before is None:
        return ["no earlier success of it is remembered"]
    found = [f"{name} is new" for name in sorted(now.keys() - before.keys())]
    found += [f"{name} is gone" for name in sorted(before.keys() - now.keys())]
    found += [f"{name} has changed" for name in sorted(now.keys() & before.keys()) if now[name] != before[name]]
    return found or ["nothing has changed, but the files that it had made could not be put back"]
