"""Runs a workflow on this machine, or continues a run."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import cast

from skyflow._util.text import sentence_list
from skyflow.app.clock import SystemClock
from skyflow.app.container_engine import all_specs, engine_for
from skyflow.app.machines.pools import pools_of
from skyflow.app.machines.renting import refuse_strangers, refuse_unfit
from skyflow.app.planning.callees import callees_from
from skyflow.app.planning.host_options import refuse_what_stays_here
from skyflow.app.project import Project
from skyflow.app.running.contexts import display_name, run_contexts
from skyflow.app.running.drive import CANCEL_SIGNAL, ReporterFactory, RunResult, drive
from skyflow.app.running.launch import GivenSecrets, Launch
from skyflow.errors import UsageError
from skyflow.model.layout import RunFolder
from skyflow.model.placement import Plan
from skyflow.model.run import Json, NewRun, RunId, RunOptions, RunRecord
from skyflow.model.status import Status
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow
from skyflow.store.lease import hold_lease, is_leased
from skyflow.store.store import Store, open_store
from skyflow.vault.references import secret_references
from skyflow.vault.secrets import Secrets

__all__ = ["continue_run", "new_run_id", "resume_run", "run_lease", "run_workflow"]


def new_run_id(now: datetime, project: Project) -> RunId:
    """Return a name for a run that no run of the project has; names sort by time."""
    while True:
        run_id = RunId(f"{now:%Y%m%d-%H%M%S}-{token_hex(2)}")
        if not project.state.run(run_id).root.exists():
            return run_id


def run_workflow(
    workflow: Workflow,
    plan: Plan,
    *,
    callees: Mapping[str, Workflow],
    project: Project,
    launch: Launch,
    reporter: ReporterFactory,
    debug: bool = False,
    options: RunOptions = RunOptions(),
) -> RunResult:
    """Run a planned workflow to its end.

    With `debug`, steps see RUNNER_DEBUG=1 and `::debug::` lines are kept and shown, also when the run is resumed.

    Raises:
        ProvisionError: the plan needs a machine that this skyflow cannot provide, a cloud that does not know us, or
            containers and there is no engine; nothing was started.
        ExpressionError: `run-name` cannot be evaluated; nothing was started.
        StoreError: the state store cannot be used.
    """
    refuse_unfit(plan)
    pools_of(plan, project)
    if options.hosts:
        jobs = [job for each in (workflow, *callees.values()) for job in each.jobs]
        refuse_what_stays_here(jobs, hint="leave --host away, or keep such jobs in a workflow of their own")
    engine = engine_for(all_specs(workflow, callees))
    clock = SystemClock()
    refuse_strangers(plan, clock)
    with open_store(project.state) as store:
        now = clock.now()
        run_id = new_run_id(now, project)
        contexts = run_contexts(project, run_id=run_id, workflow=workflow, launch=launch, debug=debug)
        new = _new_run(
            run_id,
            workflow,
            callees,
            workflow_path=project.name_of(workflow.path),
            plan=plan,
            contexts=contexts,
            launch=launch,
            options=options,
        )
        with run_lease(project.state.run(run_id)):
            run = store.create_run(new, now, name=partial(display_name, workflow, new.contexts, launch.secrets))
            return drive(
                store,
                run,
                workflow,
                callees=callees,
                slots=run.slots,
                secrets=launch.secrets,
                project=project,
                engine=engine,
                reporter=reporter,
                clock=clock,
            )


def _new_run(
    run_id: RunId,
    workflow: Workflow,
    callees: Mapping[str, Workflow],
    *,
    workflow_path: str,
    plan: Plan,
    contexts: Mapping[str, object],
    launch: Launch,
    options: RunOptions,
) -> NewRun:
    """Return all that is remembered of how a run began, so that it can be gone on with whatever becomes of the files."""
    return NewRun(
        id=run_id,
        workflow_name=workflow.name or workflow_path,
        workflow_path=workflow_path,
        workflow_source=workflow.source,
        callee_sources={uses: callee.source for uses, callee in callees.items()},
        contexts=cast("Mapping[str, Json]", contexts),
        plan=cast("Json", plan.to_json()),
        slots=plan.local_slots,
        secret_names=launch.used_secrets,
        options=options,
    )


def resume_run(
    name: str | None,
    *,
    project: Project,
    reporter: ReporterFactory,
    given: GivenSecrets,
    slots: int | None = None,
    starts_now: bool = False,
) -> RunResult:
    """Continue a run: completed jobs stay as they are, one that was under way gets a new attempt.

    The workflow is the one the run was started with, whatever became of the file since.

    Args:
        name: a run, as `Store.find_run` takes it; None means the newest one that has not completed and that nobody drives.
        project: the folder and the store.
        reporter: who is told.
        given: the secrets, which no run remembers.
        slots: how many jobs at once; by default as before.
        starts_now: do not wait for the starts that the plan has chosen.

    Raises:
        UsageError: there is nothing to resume, or a secret is missing that the run was started with.
        StoreLockedError: a living process drives the run.
        ProvisionError: a job has containers, and there is no container engine.
    """
    with open_store(project.state, create=False) as store:
        run = _newest_to_resume(store, project) if name is None else store.find_run(name)
        if run.status is Status.COMPLETED:
            raise UsageError(f"run {run.number} has completed ({run.conclusion}); there is nothing to resume")
        with run_lease(project.state.run(run.id), called=str(run.number)):
            return continue_run(
                store,
                run,
                project=project,
                reporter=reporter,
                given=given,
                slots=slots,
                starts_now=starts_now,
            )


def continue_run(
    store: Store,
    run: RunRecord,
    *,
    project: Project,
    reporter: ReporterFactory,
    given: GivenSecrets,
    slots: int | None = None,
    starts_now: bool = False,
) -> RunResult:
    """Drive a stored run with what is stored of it; the caller holds its lease.

    Raises:
        UsageError: a secret is missing that the run was started with.
    """
    workflow = load_workflow(project.path_of(run.workflow_path), text=run.workflow_source).workflow
    callees = callees_from(workflow, run.callee_sources)
    secrets = given.completed({*run.secret_names, *secret_references(workflow).names}, project)
    _refuse_missing_secrets(run, secrets)
    return drive(
        store,
        store.find_run(run.id),  # it may have moved before the lease was ours
        workflow,
        callees=callees,
        slots=slots or run.slots,
        secrets=secrets,
        project=project,
        engine=engine_for(all_specs(workflow, callees)),
        reporter=reporter,
        clock=SystemClock(),
        starts_now=starts_now,
    )


@contextmanager
def run_lease(folder: RunFolder, *, called: str = "") -> Iterator[None]:
    """Be the one process that drives a run; a wish to cancel it that comes early is not the end of this process.

    `called` is what its user calls it.

    Raises:
        StoreLockedError: another living process drives it.
    """
    if threading.current_thread() is not threading.main_thread():  # only there can signals be received
        with hold_lease(folder, called=called):
            yield
        return
    before = signal.signal(CANCEL_SIGNAL, signal.SIG_IGN)
    try:
        with hold_lease(folder, called=called):
            yield
    finally:
        signal.signal(CANCEL_SIGNAL, before)


def _newest_to_resume(store: Store, project: Project) -> RunRecord:
    """Return the newest run that has not completed and that nobody drives; where each is driven, the newest of them."""
    runs = store.unfinished_runs()
    if not runs:
        raise UsageError("there is no run to resume: none was interrupted", hint="`skyflow runs` lists them")
    return next((run for run in runs if not is_leased(project.state.run(run.id))), runs[0])


def _refuse_missing_secrets(run: RunRecord, secrets: Secrets) -> None:
    missing = [name for name in run.secret_names if name not in secrets]
    if missing:
        raise UsageError(
            f"run {run.number} was started with {'secrets' if len(missing) > 1 else 'the secret'} "
            f"{sentence_list(missing)}, which no run remembers",
            hint=f"give {'them' if len(missing) > 1 else 'it'} again, as for `skyflow run`: --secret {missing[0]}",
        )
