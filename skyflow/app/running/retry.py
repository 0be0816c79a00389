"""Runs a run again, or what failed of it: a new run that takes over what need not be repeated."""

from collections.abc import Mapping, Sequence

from skyflow.app.clock import SystemClock
from skyflow.app.planning.callees import callees_from
from skyflow.app.project import Project
from skyflow.app.running.contexts import in_another_run
from skyflow.app.running.drive import ReporterFactory, RunResult
from skyflow.app.running.launch import GivenSecrets
from skyflow.app.running.run import continue_run, new_run_id, run_lease
from skyflow.app.showing.history import read_run
from skyflow.app.showing.logs import chosen_jobs
from skyflow.engine.state import frame_key, local_id
from skyflow.errors import UsageError
from skyflow.model.history import RunHistory
from skyflow.model.run import Carried, JobRecord, NewRun
from skyflow.model.status import Conclusion, Status
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow
from skyflow.store.store import open_store

__all__ = ["retry_run"]


def retry_run(
    name: str,
    *,
    job: str | None,
    failed_only: bool,
    project: Project,
    reporter: ReporterFactory,
    given: GivenSecrets,
    slots: int | None = None,
) -> RunResult:
    """Run the jobs of a completed run again, with the workflow, inputs and plan it had.

    Args:
        name: the run, as `Store.find_run` takes it.
        job: only this job and those that need it, directly or not; all without one.
        failed_only: only jobs that did not succeed, and those that need them.
        project: the folder and the store.
        reporter: who is told.
        given: the secrets, which no run remembers.
        slots: how many jobs at once; by default as before.

    Raises:
        UsageError: there is no such run or job, the run has not completed, nothing of it failed, or a secret is missing.
    """
    history = read_run(project, name)
    run = history.overview.run
    if run.status is not Status.COMPLETED:
        hint = "wait for it, or cancel it" if history.overview.is_driven else f"`skyflow resume {run.number}` goes on"
        raise UsageError(f"run {run.number} has not completed", hint=hint)
    workflow = load_workflow(project.path_of(run.workflow_path), text=run.workflow_source).workflow
    again = _chosen(history, job, failed_only=failed_only)
    graph = _Graph(workflow, callees_from(workflow, run.callee_sources), history.jobs)
    with open_store(project.state, create=False) as store:
        now = SystemClock().now()
        run_id = new_run_id(now, project)
        new = NewRun(
            id=run_id,
            workflow_name=run.workflow_name,
            workflow_path=run.workflow_path,
            workflow_source=run.workflow_source,
            callee_sources=run.callee_sources,
            contexts=in_another_run(run.contexts, project, run_id),
            plan=run.plan,
            slots=slots or run.slots,
            secret_names=run.secret_names,
            options=run.options,
            origin=run.origin or run.id,
            tries=run.tries + 1,
            carried=_carried(history, graph.redone(again)),
        )
        with run_lease(project.state.run(new.id)):
            created = store.create_run(new, now, name=lambda _: run.display_name)
            return continue_run(store, created, project=project, reporter=reporter, given=given)


def _chosen(history: RunHistory, job: str | None, *, failed_only: bool) -> Sequence[JobRecord]:
    if job is not None:
        return chosen_jobs(history, job)
    if not failed_only:
        return history.jobs
    failed = [each for each in history.jobs if each.conclusion in {Conclusion.FAILURE, Conclusion.CANCELLED}]
    if not failed:
        raise UsageError(f"every job of run {history.overview.run.number} has succeeded or was skipped")
    return failed


def _carried(history: RunHistory, redone: set[str]) -> dict[str, Carried]:
    """Return what the new run takes over: the successes that are not redone, and how often each job was tried."""
    before = history.overview.run.carried
    carried: dict[str, Carried] = {}
    for job in history.jobs:
        stays = job.key not in redone and job.conclusion is Conclusion.SUCCESS
        earlier = before[job.key].attempts if job.key in before else 0
        tries = max((attempt.number for attempt in history.attempts_of(job.key)), default=earlier)
        carried[job.key] = Carried(
            conclusion=job.conclusion if stays else None, outputs=job.outputs if stays else {}, attempts=tries
        )
    return carried


class _Graph:
    """Which job specs need which, in the workflow and those it calls."""

    def __init__(self, workflow: Workflow, callees: Mapping[str, Workflow], jobs: Sequence[JobRecord]) -> None:
        self._frames = {"": workflow}
        self._jobs = jobs
        for job in jobs:  # a calling job stands before the jobs of what it calls
            spec = self._frames[frame_key(job.spec_id)].job(local_id(job.spec_id))
            if spec.call is not None and spec.call.uses in callees:
                self._frames[job.key] = callees[spec.call.uses]

    def redone(self, chosen: Sequence[JobRecord]) -> set[str]:
        """Return the keys of what has to run again: what was chosen, what needs it, and what that is a part of."""
        redone: dict[str, None] = {job.key: None for job in chosen}
        waiting = list(chosen)
        while waiting:
            job = waiting.pop()
            for other in self._jobs:
                if other.key not in redone and self._follows(other, job):
                    redone[other.key] = None
                    waiting.append(other)
        return set(redone)

    def _follows(self, other: JobRecord, job: JobRecord) -> bool:
        """Tell whether a job cannot stay as it is when another runs again."""
        if (
            frame_key(job.spec_id) == other.key or frame_key(other.spec_id) == job.key
        ):  # it calls it, or is called by it
            return frame_key(other.spec_id) != job.key or job.conclusion is Conclusion.SUCCESS
        if frame_key(other.spec_id) != frame_key(job.spec_id):
            return False
        spec = self._frames[frame_key(other.spec_id)].job(local_id(other.spec_id))
        return local_id(job.spec_id).lower() in {need.job_id.lower() for need in spec.needs}
