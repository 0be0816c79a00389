"""Drives a run on this machine, whoever began it."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskStatus

from skyflow.app.machines.pools import pools_of
from skyflow.app.machines.renting import rented_placements
from skyflow.app.market.config import project_config
from skyflow.app.planning.host_options import HostSlots, read_host
from skyflow.app.project import Project
from skyflow.app.running.action_host import OnDemandActionHost
from skyflow.app.running.action_source import ProjectActions
from skyflow.app.running.checkpoints import ProjectCheckpoints
from skyflow.app.running.contexts import with_secrets
from skyflow.app.running.job_cache import ProjectJobCache
from skyflow.app.running.spending import Spending
from skyflow.app.running.transfer_log import TransferLog
from skyflow.app.stores import ProjectStores
from skyflow.engine.driver import Driver
from skyflow.engine.restore import restore
from skyflow.engine.rooms import Rooms
from skyflow.engine.state import RunState
from skyflow.errors import EXIT_INTERRUPTED, EXIT_NOT_SUCCESS, EXIT_SUCCESS, SkyflowError
from skyflow.model.annotation import AnnotationRecord
from skyflow.model.catalog import LOCAL_PLACE, Place
from skyflow.model.config import OwnPool
from skyflow.model.history import last_annotations
from skyflow.model.job_keys import planned
from skyflow.model.layout import RunFolder
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Placement, Plan
from skyflow.model.run import AttemptRecord, JobRecord, Json, RunId, RunRecord, StepRecord
from skyflow.model.status import Conclusion, Status
from skyflow.model.transfers import TransferRecord
from skyflow.model.workflow import Workflow
from skyflow.ports.clock import Clock
from skyflow.ports.reporter import Reporter
from skyflow.runners.containers.engine import ContainerEngine
from skyflow.runners.containers.jobs import JobContainers, StepFolders
from skyflow.runners.containers.options import safe_name
from skyflow.runners.local.runner import LocalRunner
from skyflow.store.groups import GroupStore
from skyflow.store.machines import machine_records
from skyflow.store.store import Store
from skyflow.store.transfers import TransferStore
from skyflow.vault.secrets import Secrets, without_secrets

if TYPE_CHECKING:
    from skyflow.app.machines.live_plan import LivePlan
    from skyflow.runners.router import RunnerRouter

__all__ = ["CANCEL_SIGNAL", "ReporterFactory", "RunResult", "drive", "result_of"]

CANCEL_SIGNAL = signal.SIGUSR1
"""Tells a driver to look whether its run is to be cancelled."""

ReporterFactory = Callable[[RunRecord], AbstractContextManager[Reporter]]
"""Makes the reporter of a run, to be used as a context while the run lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """A run that has ended or was interrupted, with its jobs in the order they came to be.

    `annotations` are those of every job's last attempt, `machines` what was rented, `transfers` what was moved. `first_plan` is the plan that the run
    began with, in its JSON form.
    """

    run: RunRecord
    jobs: tuple[JobRecord, ...]
    annotations: tuple[AnnotationRecord, ...]
    folder: RunFolder
    machines: tuple[MachineRecord, ...] = ()
    transfers: tuple[TransferRecord, ...] = ()
    first_plan: Json = None

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


def drive(
    store: Store,
    run: RunRecord,
    workflow: Workflow,
    *,
    callees: Mapping[str, Workflow],
    slots: int,
    secrets: Secrets,
    project: Project,
    engine: ContainerEngine | None,
    reporter: ReporterFactory,
    clock: Clock,
    starts_now: bool = False,
) -> RunResult:
    """Drive a run from where it is until it has completed or was interrupted; the caller holds its lease.

    With `starts_now`, jobs do not wait for the starts that the plan has chosen.

    Raises:
        StoreError: the state store or a log cannot be written; what was running has been killed.
    """
    parts = _Parts(store=store, run=run, workflow=workflow, callees=callees, project=project, clock=clock)
    state = parts.state(slots=slots, secrets=secrets, starts_now=starts_now)
    hosts = [read_host(text) for text in run.options.hosts]
    pools = pools_of(parts.plan, project)
    _write_event(run, parts.folder)
    with reporter(run) as listener, _one_error():
        here = parts.runner_here(engine, masks=state.masks)
        live: LivePlan | None = None
        elsewhere: RunnerRouter | None = None
        if hosts or pools or rented_placements(parts.plan):
            live, elsewhere = parts.runner_elsewhere(here, hosts=hosts, pools=pools, masks=state.masks)
            state = replace(state, rooms=live.rooms)
        make_driver = partial(parts.driver, here, elsewhere=elsewhere, live=live, reporter=listener, masks=state.masks)
        ages = _ages(store.attempts(run.id), store.steps(run.id), clock.now())
        is_cancelled = partial(_is_cancelled, store, run.id)
        anyio.run(
            partial(
                _drive_here,
                state,
                elsewhere or here,
                make_driver,
                is_cancelled=is_cancelled,
                ages=ages,
                live=live,
                starts_now=starts_now,
            )
        )
    return result_of(store, run, parts.folder)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Makes what a run is driven with."""

    store: Store
    run: RunRecord
    workflow: Workflow
    callees: Mapping[str, Workflow]
    project: Project
    clock: Clock

    @cached_property
    def plan(self) -> Plan | None:
        return Plan.from_json(self.run.plan) if isinstance(self.run.plan, dict) else None

    @cached_property
    def placements(self) -> Mapping[str, Placement]:
        return {} if self.plan is None else {placement.job: placement for placement in self.plan.placements}

    @cached_property
    def spending(self) -> Spending:
        return Spending(partial(TransferStore(self.store).transfers, self.run.id))

    @property
    def folder(self) -> RunFolder:
        return self.project.state.run(self.run.id)

    def state(self, *, slots: int, secrets: Secrets, starts_now: bool) -> RunState:
        """Return the state that the run was left in."""
        attempts = self.store.attempts(self.run.id)
        machines = machine_records(self.store, self.run.id)
        return restore(
            self.workflow,
            replace(self.run, contexts=with_secrets(self.run.contexts, secrets)),
            jobs=self.store.jobs(self.run.id),
            attempts=attempts,
            steps=self.store.steps(self.run.id),
            slots=slots,
            callees=self.callees,
            masks=secrets.masks,
            prices={key: placed.compute_usd + placed.transfer_usd for key, placed in self.placements.items()},
            not_before={} if self.plan is None or starts_now else self.plan.moments,
            spent=self.spending.so_far(self.placements, attempts, machines, self.clock.now()),
        )

    @staticmethod
    def place_of(live: "LivePlan | None", job_key: str) -> Place:
        """Return where a job runs; one that is in no plan, or on a machine that was given instead of this one, runs here."""
        if live is None:
            return LOCAL_PLACE
        try:
            return live.placement(job_key).offering.place
        except KeyError:
            return LOCAL_PLACE

    def runner_here(self, engine: ContainerEngine | None, *, masks: tuple[str, ...]) -> LocalRunner:
        """Return what runs steps on this machine; without an engine, none of them is in a container."""
        return LocalRunner(
            run_tag=self.run.id,
            folder=self.folder,
            workspace=self.project.root,
            environment=without_secrets(os.environ),
            clock=self.clock,
            masks=masks,
            log_limit_bytes=project_config(self.project.root).log_limit_bytes,
            containers=None if engine is None else _containers(engine, self.run, self.project),
        )

    def runner_elsewhere(
        self, here: LocalRunner, *, hosts: Sequence[HostSlots], pools: Mapping[str, OwnPool], masks: tuple[str, ...]
    ) -> "tuple[LivePlan, RunnerRouter]":
        """Return the plan as it will change, and what sends each job to the place that it says."""
        from skyflow.app.machines.elsewhere import follow_plan, router_to  # noqa: PLC0415 -- start-up

        run, project = self.run, self.project
        live = follow_plan(
            self.plan, self.workflow, self.callees, store=self.store, run=run, given=hosts, project=project
        )
        router = router_to(
            live,
            here,
            given=hosts,
            pools=pools,
            run=run.id,
            project=project,
            folder=self.folder,
            masks=masks,
            keep_seconds=run.options.keep_seconds,
        )
        return live, router

    def driver(
        self,
        here: LocalRunner,
        *,
        elsewhere: "RunnerRouter | None",
        live: "LivePlan | None",
        reporter: Reporter,
        masks: tuple[str, ...],
    ) -> Driver:
        """Return the driver; to be called within the event loop."""
        run, project, runner = self.run, self.project, elsewhere or here
        find = partial(planned, self.placements) if live is None else live.find
        stores = ProjectStores(project, residency=self.workflow.plan.residency)
        transfers = TransferLog(
            self.store, run.id, stores=stores, place_of=partial(self.place_of, live), clock=self.clock
        )
        host = OnDemandActionHost(
            runner,
            run_id=run.origin or run.id,
            project=project,
            environment=without_secrets(os.environ),
            clock=self.clock,
            folder=self.folder,
            stores=stores,
            transfers=transfers,
            masks=masks,
            elsewhere=elsewhere,
        )
        checkpoints = ProjectCheckpoints(
            run.origin or run.id,
            project=project,
            clock=self.clock,
            folder=self.folder,
            stores=stores,
            transfers=transfers,
            elsewhere=elsewhere,
        )
        return Driver(
            run.id,
            store=self.store,
            runner=runner,
            source=ProjectActions(project.root),
            host=host,
            groups=GroupStore(self.store),
            cache=ProjectJobCache(self.store, run, project=project, clock=self.clock),
            reporter=reporter,
            clock=self.clock,
            checkpoints=checkpoints,
            cost_of=None
            if run.options.budget_usd is None
            else lambda key, seconds: self.spending.of_attempt(find(key), seconds),
            **({} if live is None else {"follow": live.follow}),
        )


def result_of(store: Store, run: RunRecord, folder: RunFolder) -> RunResult:
    """Return where a run is now."""
    now, earlier = store.find_run(run.id), store.superseded_plans(run.id)
    return RunResult(
        run=now,
        jobs=tuple(store.jobs(run.id)),
        annotations=last_annotations(store.attempts(run.id), store.annotations(run.id)),
        folder=folder,
        machines=tuple(machine_records(store, run.id)),
        transfers=tuple(TransferStore(store).transfers(run.id)),
        first_plan=earlier[0].plan if earlier else now.plan,
    )


def _containers(engine: ContainerEngine, run: RunRecord, project: Project) -> JobContainers:
    github = run.contexts.get("github")
    repository = str(github.get("repository") or "") if isinstance(github, dict) else ""
    folders = StepFolders(
        name=safe_name(repository.rpartition("/")[2] or project.root.name) or "workspace",
        workspace=project.root,
        event=project.state.run(run.id).event,
        tools=project.state.tools,
    )
    return JobContainers(engine, run=run.id, folders=folders)


def _write_event(run: RunRecord, folder: RunFolder) -> None:
    """Write the file that GITHUB_EVENT_PATH names, unless an earlier driver of the run has."""
    github = run.contexts.get("github")
    if isinstance(github, dict) and not folder.event.exists():
        text = json.dumps(github.get("event"), indent=2, ensure_ascii=False)
        folder.event.write_text(text, encoding="utf-8", errors="surrogateescape")


def _ages(
    attempts: Sequence[AttemptRecord], steps: Sequence[StepRecord], now: datetime
) -> dict[tuple[str, int], float]:
    """Return how many seconds of their time the attempts under way have had; it counts from the end of their set-up."""
    set_up = {
        (step.job_key, step.attempt): step.completed_at for step in steps if step.position == 0 and step.completed_at
    }
    begun = {
        (attempt.job_key, attempt.number): attempt.started_at
        for attempt in attempts
        if attempt.status is Status.IN_PROGRESS
    }
    return {which: max((now - set_up.get(which, at)).total_seconds(), 0.0) for which, at in begun.items()}


def _is_cancelled(store: Store, run_id: RunId) -> bool:
    return store.find_run(run_id).is_cancelled


async def _drive_here(
    state: RunState,
    runner: "LocalRunner | RunnerRouter",
    make_driver: Callable[[], Driver],
    *,
    is_cancelled: Callable[[], bool],
    ages: Mapping[tuple[str, int], float],
    live: "LivePlan | None",
    starts_now: bool,
) -> None:
    async with runner, anyio.create_task_group() as tasks:
        driver = make_driver()
        if live is not None:
            live.changed = partial(_planned_anew, driver, starts_now=starts_now)
        if threading.current_thread() is threading.main_thread():  # only there can signals be received
            await tasks.start(_obey_signals, driver, is_cancelled)  # before any step begins
        await driver.drive(state, seconds=ages)
        tasks.cancel_scope.cancel()


def _planned_anew(
    driver: Driver, rooms: Rooms, prices: Mapping[str, float], moments: Mapping[str, datetime], *, starts_now: bool
) -> None:
    driver.replanned(rooms, prices, {} if starts_now else moments)


async def _obey_signals(
    driver: Driver, is_cancelled: Callable[[], bool], *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    heard = [signal.SIGINT, signal.SIGTERM, CANCEL_SIGNAL]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # which is what `nohup` asks for
        heard.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*heard) as signals:
        task_status.started()
        if is_cancelled():  # asked for while nobody listened
            driver.request_cancel()
        async for received in signals:
            if received == CANCEL_SIGNAL:
                if is_cancelled():
                    driver.request_cancel()
            else:
                driver.request_stop()


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
