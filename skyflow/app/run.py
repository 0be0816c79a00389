"""Runs a workflow on this machine, or continues a run."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import cast

import anyio

from skyflow._util.text import sentence_list
from skyflow.app.action_host import OnDemandActionHost
from skyflow.app.action_source import ProjectActions
from skyflow.app.callees import callees_from
from skyflow.app.clock import SystemClock
from skyflow.app.contexts import display_name, run_contexts, with_secrets
from skyflow.app.launch import GivenSecrets, Launch
from skyflow.app.project import Project
from skyflow.engine.driver import Driver
from skyflow.engine.restore import restore
from skyflow.engine.state import RunState
from skyflow.errors import (
    EXIT_INTERRUPTED,
    EXIT_NOT_SUCCESS,
    EXIT_SUCCESS,
    ProvisionError,
    SkyflowError,
    UsageError,
)
from skyflow.model.annotation import AnnotationRecord
from skyflow.model.layout import RunFolder
from skyflow.model.placement import Plan
from skyflow.model.resources import LOCAL
from skyflow.model.run import JobRecord, Json, NewRun, RunId, RunRecord, last_annotations
from skyflow.model.status import Conclusion, Status
from skyflow.model.workflow import Workflow
from skyflow.ports.clock import Clock
from skyflow.ports.reporter import Reporter
from skyflow.runners.local import LocalRunner
from skyflow.spec import load_workflow
from skyflow.store.groups import GroupStore
from skyflow.store.lease import hold_lease
from skyflow.store.store import Store, open_store
from skyflow.vault.references import secret_references
from skyflow.vault.secrets import Secrets, without_secrets

__all__ = ["ReporterFactory", "RunResult", "new_run_id", "result_of", "resume_run", "run_workflow"]

ReporterFactory = Callable[[RunRecord], AbstractContextManager[Reporter]]
"""Makes the reporter of a run, to be used as a context while the run lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run that has ended or was interrupted, with its jobs in the order they came to be.

    `annotations` are those of every job's last attempt.
    """

    run: RunRecord
    jobs: tuple[JobRecord, ...]
    annotations: tuple[AnnotationRecord, ...]
    folder: RunFolder

    @property
    def is_success(self) -> bool:
        """Whether the run has completed in success."""
        return self.run.conclusion is Conclusion.SUCCESS

    @property
    def exit_code(self) -> int:
        """The exit code of the command that ran it."""
        if self.run.status is not Status.COMPLETED:
            return EXIT_INTERRUPTED
        return EXIT_SUCCESS if self.is_success else EXIT_NOT_SUCCESS


def new_run_id(now: datetime) -> RunId:
    """Return a fresh name for a run, which sorts by time."""
    return RunId(f"{now:%Y%m%d-%H%M%S}-{token_hex(2)}")


def run_workflow(
    workflow: Workflow,
    plan: Plan,
    *,
    callees: Mapping[str, Workflow],
    project: Project,
    launch: Launch,
    reporter: ReporterFactory,
    debug: bool = False,
    clock: Clock | None = None,
    make_id: Callable[[datetime], RunId] = new_run_id,
) -> RunResult:
    """Run a planned workflow to its end.

    With `debug`, steps see RUNNER_DEBUG=1 and `::debug::` lines are kept and shown, also when the run is resumed.

    Raises:
        ProvisionError: the plan needs a machine that this skyflow cannot provide; nothing was started.
        ExpressionError: `run-name` cannot be evaluated; nothing was started.
        StoreError: the state store cannot be used.
    """
    _refuse_other_machines(plan)
    clock = clock or SystemClock()
    with open_store(project.state) as store:
        now = clock.now()
        run_id = make_id(now)
        contexts = cast(
            "Mapping[str, Json]", run_contexts(project, run_id=run_id, workflow=workflow, launch=launch, debug=debug)
        )
        new = NewRun(
            id=run_id,
            workflow_name=workflow.name or workflow.path,
            workflow_path=workflow.path,
            workflow_source=workflow.source,
            callee_sources={uses: callee.source for uses, callee in callees.items()},
            contexts=contexts,
            plan=cast("Json", plan.to_json()),
            slots=plan.local_slots,
            secret_names=launch.used_secrets,
        )
        with hold_lease(project.state.run(run_id)):
            run = store.create_run(new, now, name=partial(display_name, workflow, contexts, launch.secrets))
            return _drive(
                store,
                run,
                workflow,
                callees=callees,
                slots=run.slots,
                secrets=launch.secrets,
                project=project,
                reporter=reporter,
                clock=clock,
            )


def resume_run(
    name: str | None,
    *,
    project: Project,
    reporter: ReporterFactory,
    given: GivenSecrets,
    slots: int | None = None,
    clock: Clock | None = None,
) -> RunResult:
    """Continue a run: completed jobs stay as they are, one that was under way gets a new attempt.

    The workflow is the one the run was started with, whatever became of the file since.

    Args:
        name: a run, as `Store.find_run` takes it; None means the newest one that has not completed.
        project: the folder and the store.
        reporter: who is told.
        given: the secrets, which no run remembers.
        slots: how many jobs at once; by default as before.
        clock: the time.

    Raises:
        UsageError: there is nothing to resume, or a secret is missing that the run was started with.
        StoreLockedError: a living process drives the run.
    """
    with open_store(project.state, create=False) as store:
        run = store.newest_unfinished_run() if name is None else store.find_run(name)
        if run is None:
            raise UsageError("every run has completed; there is nothing to resume", hint="`skyflow runs` lists them")
        if run.status is Status.COMPLETED:
            raise UsageError(f"run {run.number} has completed ({run.conclusion}); there is nothing to resume")
        with hold_lease(project.state.run(run.id)):
            workflow = load_workflow(run.workflow_path, text=run.workflow_source).workflow
            callees = callees_from(workflow, run.callee_sources)
            secrets = given.completed({*run.secret_names, *secret_references(workflow).names}, project)
            _refuse_missing_secrets(run, secrets)
            return _drive(
                store,
                store.find_run(str(run.number)),  # it may have moved before the lease was ours
                workflow,
                callees=callees,
                slots=slots or run.slots,
                secrets=secrets,
                project=project,
                reporter=reporter,
                clock=clock or SystemClock(),
            )


def _drive(
    store: Store,
    run: RunRecord,
    workflow: Workflow,
    *,
    callees: Mapping[str, Workflow],
    slots: int,
    secrets: Secrets,
    project: Project,
    reporter: ReporterFactory,
    clock: Clock,
) -> RunResult:
    state = restore(
        workflow,
        replace(run, contexts=with_secrets(run.contexts, secrets)),
        jobs=store.jobs(run.id),
        attempts=store.attempts(run.id),
        steps=store.steps(run.id),
        slots=slots,
        callees=callees,
        masks=secrets.masks,
    )
    folder = project.state.run(run.id)
    _write_event(run, folder)
    with reporter(run) as listener, _one_error():
        runner = LocalRunner(
            run_tag=run.id,
            folder=folder,
            workspace=project.root,
            environment=without_secrets(os.environ),
            clock=clock,
            masks=state.masks,
        )
        host = OnDemandActionHost(
            runner, run_id=run.id, project=project, environment=without_secrets(os.environ), clock=clock
        )
        driver = partial(
            Driver,
            run.id,
            store=store,
            runner=runner,
            source=ProjectActions(project.root),
            host=host,
            groups=GroupStore(store),
            reporter=listener,
            clock=clock,
        )
        anyio.run(_drive_here, state, runner, driver)
    return result_of(store, run, folder)


def result_of(store: Store, run: RunRecord, folder: RunFolder) -> RunResult:
    """Return where a run is now."""
    return RunResult(
        run=store.find_run(run.id),
        jobs=tuple(store.jobs(run.id)),
        annotations=last_annotations(store.attempts(run.id), store.annotations(run.id)),
        folder=folder,
    )


def _write_event(run: RunRecord, folder: RunFolder) -> None:
    """Write the file that GITHUB_EVENT_PATH names, unless an earlier driver of the run has."""
    github = run.contexts.get("github")
    if isinstance(github, dict) and not folder.event.exists():
        text = json.dumps(github.get("event"), indent=2, ensure_ascii=False)
        folder.event.write_text(text, encoding="utf-8", errors="surrogateescape")


async def _drive_here(state: RunState, runner: LocalRunner, make_driver: Callable[[], Driver]) -> None:
    async with runner, anyio.create_task_group() as tasks:
        driver = make_driver()
        if threading.current_thread() is threading.main_thread():  # only there can signals be received
            tasks.start_soon(_stop_on_signal, driver)
        await driver.drive(state)
        tasks.cancel_scope.cancel()


async def _stop_on_signal(driver: Driver) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            driver.request_stop()


def _refuse_other_machines(plan: Plan) -> None:
    elsewhere = [placement for placement in plan.placements if placement.offering.provider != LOCAL]
    if elsewhere:
        first = elsewhere[0]
        raise ProvisionError(
            f"job '{first.job}' is planned on {first.offering.provider} ({first.offering.instance_type}), and this "
            "version of skyflow can start jobs on this machine only",
            hint="`skyflow plan` shows the whole plan; `--on local` keeps the jobs here that may run anywhere",
        )


def _refuse_missing_secrets(run: RunRecord, secrets: Secrets) -> None:
    missing = [name for name in run.secret_names if name not in secrets]
    if missing:
        raise UsageError(
            f"run {run.number} was started with {'secrets' if len(missing) > 1 else 'the secret'} "
            f"{sentence_list(missing)}, which no run remembers",
            hint=f"give {'them' if len(missing) > 1 else 'it'} again, as for `skyflow run`: --secret {missing[0]}",
        )


@contextmanager
def _one_error() -> Iterator[None]:
    """Raise the one error that matters instead of the groups that task groups make of it."""
    try:
        yield
    except BaseExceptionGroup as group:
        leaves = list(_leaves(group))
        raise next((leaf for leaf in leaves if isinstance(leaf, SkyflowError)), leaves[0]) from group


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
