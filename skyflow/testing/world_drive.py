"""Drives a planned workflow in a simulated world to its end, with the real driver, machine and store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anyio

from skyflow.engine.driver import Driver
from skyflow.engine.restore import restore
from skyflow.model.execution import Pairs
from skyflow.model.layout import StateFolder
from skyflow.model.placement import Plan
from skyflow.model.run import AttemptRecord, JobRecord, NewRun, RunId, RunOptions, RunRecord
from skyflow.model.status import Status
from skyflow.model.uses import LoadedAction
from skyflow.model.workflow import Workflow
from skyflow.report.silent import SilentReporter
from skyflow.store.groups import GroupStore
from skyflow.store.store import Store, open_store
from skyflow.testing.mortal import Crash, Fate
from skyflow.testing.simulated import SimulatedActions, SimulatedCache, SimulatedRunner
from skyflow.testing.time import VirtualClock, run_virtually
from skyflow.testing.world import Nature, World

__all__ = ["Drive", "drive_in_world", "scenario_store"]


@dataclass(slots=True)
class Drive:
    """How a run went in a world. `moments` are those before and after effects, of the last of its drivers."""

    world: World
    run: RunRecord
    jobs: tuple[JobRecord, ...]
    attempts: tuple[AttemptRecord, ...]
    crashes: int
    moments: int


def scenario_store(folder: Path) -> Store:
    """Return a store for scenarios: the real one, which need not survive a power cut."""
    store = open_store(StateFolder(folder / "state.db"))
    store.connection.execute("PRAGMA synchronous = OFF")
    return store


def drive_in_world(
    store: Store,
    workflow: Workflow,
    plan: Plan,
    *,
    run_id: RunId,
    seed: str,
    nature: Nature,
    options: RunOptions,
    crashes: tuple[int, ...] = (),
    callees: Mapping[str, Workflow] = MappingProxyType({}),
    actions: Mapping[str, LoadedAction] = MappingProxyType({}),
    remembered: Mapping[str, Pairs] = MappingProxyType({}),
    cancelled_at: float | None = None,
    ends_within: float = inf,
) -> Drive:
    """Run a planned workflow in a simulated world to its end; after a crash the next driver goes on.

    `crashes` tells at which moment each driver dies, `ends_within` after how many seconds of the world it is seen that a run
    waits for ever. Jobs that are `remembered` have outputs from an earlier run. The run is asked to end when the world is `cancelled_at` seconds old.
    """
    clock = VirtualClock()
    placements = {placement.job: placement for placement in plan.placements}
    world = World(clock, placements, nature, seed, remembered=dict(remembered))
    run = store.create_run(_new_run(run_id, workflow, plan, options), clock.now())
    surroundings = _Surroundings(store, workflow, plan, world, callees, actions, cancelled_at, ends_within)
    died, fate = 0, Fate()
    for number, dies_at in enumerate((*crashes, 0)):
        fate = Fate(dies_at)
        try:
            run_virtually(clock, surroundings.driving(store.find_run(run.id), fate, number))
            break
        except BaseExceptionGroup as group:
            _, rest = group.split(Crash)
            if rest is not None:
                raise
        except Crash:
            pass
        died += 1
        if store.find_run(run.id).status is Status.COMPLETED:
            break
    jobs, attempts = tuple(store.jobs(run.id)), tuple(store.attempts(run.id))
    return Drive(world, store.find_run(run.id), jobs, attempts, died, fate.count)


def _new_run(run_id: RunId, workflow: Workflow, plan: Plan, options: RunOptions) -> NewRun:
    return NewRun(
        id=run_id,
        workflow_name=workflow.path,
        workflow_path=workflow.path,
        workflow_source=workflow.source,
        callee_sources={},
        contexts={"github": {}, "runner": {"temp": "/simulated"}, "vars": {}, "secrets": {}, "inputs": {}},
        plan=None,
        slots=_slots(plan),
        options=options,
    )


def _slots(plan: Plan) -> int:
    """Return how many jobs run at once: on this machine as planned, in clouds as many as there are."""
    elsewhere = sum(placement.offering.provider != "local" for placement in plan.placements)
    return plan.local_slots + elsewhere


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the drivers of one run stand in, one after the other."""

    store: Store
    workflow: Workflow
    plan: Plan
    world: World
    callees: Mapping[str, Workflow]
    actions: Mapping[str, LoadedAction]
    cancelled_at: float | None
    ends_within: float

    def driving(self, run: RunRecord, fate: Fate, number: int) -> Callable[[], Any]:
        """Return what drives a run from where it is stored to be."""
        store, world = self.store, self.world
        attempts = store.attempts(run.id)
        state = restore(
            self.workflow,
            run,
            jobs=store.jobs(run.id),
            attempts=attempts,
            steps=store.steps(run.id),
            slots=run.slots,
            callees=self.callees,
            prices={key: placed.compute_usd + placed.transfer_usd for key, placed in world.placements.items()},
            not_before=self.plan.moments,
            spent=world.cost(),
        )
        ages = {
            (attempt.job_key, attempt.number): (world.clock.now() - attempt.started_at).total_seconds()
            for attempt in attempts
            if attempt.status is Status.IN_PROGRESS
        }

        async def drive() -> None:
            driver = self._driver(run, fate, number)
            with anyio.fail_after(self.ends_within - world.clock.seconds):
                async with anyio.create_task_group() as tasks:
                    if self.cancelled_at is not None:
                        tasks.start_soon(partial(self._cancel, run, driver))
                    await driver.drive(state, seconds=ages)
                    tasks.cancel_scope.cancel()

        return drive

    def _driver(self, run: RunRecord, fate: Fate, number: int) -> Driver:
        world = self.world
        steps = {spec.id: len(spec.steps) for each in (self.workflow, *self.callees.values()) for spec in each.jobs}
        actions = SimulatedActions(self.actions)
        return Driver(
            run.id,
            **fate.wrap(
                store=self.store,
                runner=SimulatedRunner(world, steps, driver=number),
                host=actions,
                groups=GroupStore(self.store),
                cache=SimulatedCache(world),
            ),
            source=actions,
            reporter=SilentReporter(),
            clock=world.clock,
            cost_of=_cost_in(world) if run.options.budget_usd is not None else None,
        )

    async def _cancel(self, run: RunRecord, driver: Driver) -> None:
        """Ask for the end of a run when it is time, as `skyflow cancel` does: it is stored, and the driver is told."""
        await anyio.sleep(max((self.cancelled_at or 0.0) - self.world.clock.seconds, 0.0))
        self.store.cancel_run(run.id)
        driver.request_cancel()


def _cost_in(world: World) -> Callable[[str, float], float]:
    def cost(job_key: str, seconds: float) -> float:
        del seconds  # the world knows better: a machine costs from when it was had until it was given back
        found = [machine for (key, _), machine in world.machines.items() if key == job_key]
        return found[-1].cost(world.clock.seconds) if found else 0.0

    return cost
