"""The plan of a run while it is driven: where each job is placed now, and what follows when a machine is not to be had."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, cast

import anyio
import anyio.to_thread

from skyflow.app.planning.expansion import expected_jobs
from skyflow.app.planning.plan import PlanOptions
from skyflow.app.planning.replan import prepare_rest
from skyflow.app.project import Project
from skyflow.engine.rooms import Rooms
from skyflow.engine.state import RunState
from skyflow.errors import InfeasibleError
from skyflow.model.availability import Observation, Outcome
from skyflow.model.blocks import Block
from skyflow.model.catalog import Offering
from skyflow.model.job_keys import planned
from skyflow.model.placement import Placement, Plan
from skyflow.model.resources import LOCAL, OWN, Requirements
from skyflow.model.run import Json, RunRecord
from skyflow.model.status import Status
from skyflow.model.workflow import JobSpec, Workflow
from skyflow.planner import Limits
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import MachineJournal
from skyflow.store.blocks import BlockStore
from skyflow.store.observations import ObservationStore
from skyflow.store.store import Store

__all__ = ["RENTED", "LivePlan", "Planner", "Replanned", "StoredPlanner"]

RENTED = "rented"
"""The place of every job that runs on a machine of a cloud."""
_PLAN_SECONDS = 0.3
"""How long to look for a better plan while a job waits for a machine."""
_LATE_SECONDS = 30 * 86_400.0
"""The deadline of a plan that cannot keep the one that was asked for."""
_MOST_MACHINES = 200
"""How many machines a run rents at once: more than any account has quota for at first, and a bound on mistakes."""


@dataclass(frozen=True, slots=True)
class Replanned:
    """A plan for what is left of a run; `is_late` if it is one without the old deadline, which cannot be kept."""

    plan: Plan
    is_late: bool = False


class Planner(Protocol):
    """Plans what is left of a run anew, and remembers that, what was refused, and what was seen of offerings."""

    async def replan(self, old: Plan, blocks: tuple[Block, ...], *, moving: Collection[str], why: str) -> Replanned:
        """Return a plan for what is left of the run, after it was stored; jobs that are `moving` do not stay.

        Raises:
            PlanningError: there is none.
        """
        ...

    def adopt(self, plan: Plan, *, why: str) -> None:
        """Store a plan that the run goes on by."""
        ...

    def elapsed_seconds(self) -> float:
        """Return how long the run has been under way."""
        ...

    def refused(self, block: Block) -> None:
        """Remember what is not to be had."""
        ...

    def blocks(self) -> tuple[Block, ...]:
        """Return what is not to be had now, by what was remembered."""
        ...

    def observe(self, offering: Offering, outcome: Outcome, seconds: float | None = None) -> None:
        """Remember what became of a machine."""
        ...


class LivePlan:
    """Answers by the key of a job, which may stand in the plan under another name: see `names_in_plan`.

    `changed` is called with the new rooms, prices and planned starts whenever what is left has been planned anew.
    """

    def __init__(
        self,
        plan: Plan | None,
        workflow: Workflow,
        callees: Mapping[str, Workflow],
        *,
        rooms: Callable[[Plan | None], Rooms],
        planner: Planner,
        clock: Clock,
    ) -> None:
        """Begin with a plan.

        Args:
            plan: the plan so far; None for a run that has none, whose jobs all run where `rooms` says.
            workflow: what is run.
            callees: the workflows that may be called.
            rooms: returns the rooms of machines that are there already, for a plan.
            planner: plans anew.
            clock: the time.
        """
        self._plan = plan
        self._rooms_there = rooms
        self._planner = planner
        self._clock = clock
        self._blocks = planner.blocks() if plan is not None else ()
        self.is_late = False
        """Whether the plan of this driver had to give up the deadline."""
        self._planning = anyio.Lock()
        self.changed: Callable[[Rooms, Mapping[str, float], Mapping[str, datetime]], None] = lambda *_: None
        self._paths = {id(job): each.path for each in (workflow, *callees.values()) for job in each.jobs}
        self._specs = {key: each.spec for each in expected_jobs(workflow, callees) for key in each.keys}
        self._placements = self._placed()
        self.rooms = self._all_rooms()
        self._state: RunState | None = None
        self.moved = anyio.Event()
        """Set, and replaced, whenever something in the run has changed."""

    def follow(self, state: RunState) -> None:
        """Take in where the run is now."""
        self._state = state
        self.moved.set()
        self.moved = anyio.Event()

    def has_ended(self, job_key: str) -> bool:
        """Tell whether there will be no further attempt at a job."""
        return self._state is not None and not self._state.may_run(job_key)

    def has_begun(self, job_key: str, attempt: int) -> bool:
        """Tell whether an attempt has come to its steps, and is not over."""
        job = self._state.jobs.get(job_key) if self._state is not None else None
        if job is None or job.attempt is None or job.attempt.number != attempt:
            return False
        return any(step.status is not Status.PENDING for step in job.attempt.states)

    def is_to_run(self, job: str, offering: Offering) -> bool:
        """Tell whether a job of the plan has not ended and is placed on an offering."""
        placed = self._placements.get(job)
        return placed is not None and placed.offering.id == offering.id and not self.has_ended(job)

    def heirs(self, job_key: str, offering: Offering) -> frozenset[str]:
        """Return the jobs of the plan that share the machine of a job, an offering, and have not ended."""
        own = self.placement(job_key)
        sharing = (each.job for each in self._placements.values() if own.machine and each.machine == own.machine)
        return frozenset(job for job in sharing if job != own.job and self.is_to_run(job, offering))

    def placement(self, job_key: str) -> Placement:
        """Return where a job is placed.

        Raises:
            KeyError: the plan has no such job.
        """
        placed = self.find(job_key)
        if placed is None:
            raise KeyError(job_key)
        return placed

    def find(self, job_key: str) -> Placement | None:
        """Return where a job is placed; None if the plan has no such job."""
        return planned(self._placements, job_key)

    def spec(self, job_key: str) -> JobSpec | None:
        """Return what is written about a job."""
        return planned(self._specs, job_key)

    def requirements(self, job_key: str) -> Requirements:
        """Return what a job asks of its machine."""
        spec = self.spec(job_key)
        return Requirements() if spec is None else spec.requirements

    def written_at(self, job_key: str) -> str:
        """Return where a job is written, such as `build.yml:12`; nothing if that is not known."""
        spec = self.spec(job_key)
        return "" if spec is None else f"{self._paths.get(id(spec), '')}:{spec.span.line}"

    def place_of(self, job_key: str) -> str:
        """Return the place of a job, nothing for this machine."""
        return self.rooms.pool_of(job_key)

    def nodes_of(self, job_key: str) -> int:
        """Return how many machines a job takes at once."""
        return self.rooms.nodes_of(job_key)

    @property
    def rents(self) -> bool:
        """Whether any job is placed on a machine of a cloud."""
        return any(True for _ in self._rented())

    def observe(self, offering: Offering, outcome: Outcome, seconds: float | None = None) -> None:
        """Remember what became of a machine."""
        self._planner.observe(offering, outcome, seconds)

    async def avoid(self, job_key: str, block: Block, *, why: str, waiting: Collection[str] = ()) -> Placement:
        """Plan what is left of the run anew without what is not to be had; return where a job is placed now.

        Others that are `waiting` for what is not to be had are moved along, so that they need not find out for themselves.

        Raises:
            PlanningError: there is no such plan.
        """
        async with self._planning:
            now = self._clock.now()
            self._blocks = (*(each for each in self._blocks if each.ends_at > now), block)
            self._planner.refused(block)
            placement = self.placement(job_key)
            if self._plan is None or not self._is_blocked(job_key):
                return placement  # somebody else has had it moved meanwhile
            moving = {placement.job, *(self.placement(key).job for key in waiting if self._is_blocked(key))}
            again = await self._planner.replan(self._plan, self._blocks, moving=moving, why=why)
            self.is_late = self.is_late or again.is_late
            self._go_by(again.plan)
            return self.placement(job_key)

    async def move(self, job_key: str, offering: Offering, *, why: str) -> Placement:
        """Place a job on another offering of the same place, on which it takes as long; return where it is placed now."""
        async with self._planning:
            placement = self.placement(job_key)
            if self._plan is None or placement.offering == offering:
                return placement
            plan = self._plan.moving(placement.job, offering)
            self._planner.adopt(plan, why=why)
            self._go_by(plan)
            return self.placement(job_key)

    def elapsed_seconds(self) -> float:
        """Return how long the run has been under way."""
        return self._planner.elapsed_seconds()

    def _go_by(self, plan: Plan) -> None:
        self._plan = plan
        self._placements = self._placed()
        self.rooms = self._all_rooms()
        prices = {each.job: each.compute_usd + each.transfer_usd for each in self._placements.values()}
        self.changed(self.rooms, prices, plan.moments)

    def _is_blocked(self, job_key: str) -> bool:
        offering, image = self.placement(job_key).offering, self.requirements(job_key).image
        return any(each.covers(offering, image=image) for each in self._blocks)

    def _placed(self) -> dict[str, Placement]:
        return {placement.job: placement for placement in (self._plan.placements if self._plan is not None else ())}

    def _all_rooms(self) -> Rooms:
        there, rented = self._rooms_there(self._plan), dict.fromkeys(self._rented(), RENTED)
        capacity = {RENTED: _MOST_MACHINES} if rented else {}
        nodes = {key: self._placements[key].offering.nodes for key in rented}
        return replace(
            there,
            pools={**there.pools, **rented},
            capacity={**there.capacity, **capacity},
            nodes={**there.nodes, **{key: number for key, number in nodes.items() if number > 1}},
        )

    def _rented(self) -> Iterable[str]:
        return (key for key, placed in self._placements.items() if placed.offering.provider not in {LOCAL, OWN})


class StoredPlanner:
    """Plans anew with the state store of a run; see `Planner`."""

    def __init__(
        self,
        store: Store,
        run: RunRecord,
        read: tuple[Workflow, Mapping[str, Workflow]],
        *,
        project: Project,
        journal: MachineJournal,
        clock: Clock,
    ) -> None:
        """Prepare; `read` is the workflow of the run, and those that it may call."""
        self._read = read
        self._store = store
        self._run = run
        self._project = project
        self._journal = journal
        self._clock = clock
        self._blocks = BlockStore(store, run.id)

    async def replan(self, old: Plan, blocks: tuple[Block, ...], *, moving: Collection[str], why: str) -> Replanned:
        """Plan in another thread; limits in time and money are those of the old plan, less what is used up."""
        now = self._clock.now()
        options = PlanOptions(
            objective=None if old.goal is not None else old.objective,  # a goal of several parts is handed on as it is
            providers=self._run.options.providers or None,
            blocks=blocks,
            limits=self._limits_left(old),
            time_limit_seconds=_PLAN_SECONDS,
        )

        def work(options: PlanOptions) -> Plan:
            rest = prepare_rest(
                self._run.id, project=self._project, now=now, options=options, moving=moving, read=self._read
            )
            return rest.plan()

        is_late = False
        try:
            plan = await anyio.to_thread.run_sync(work, options)
        except InfeasibleError:
            if options.limits.seconds is None:
                raise
            is_late, why = True, f"{why}; the deadline cannot be kept any more"
            # late is better than never, and nothing waits for cleaner power any more
            late = replace(options, limits=replace(options.limits, seconds=_LATE_SECONDS), wait_seconds=0.0)
            plan = await anyio.to_thread.run_sync(work, late)
        self.adopt(plan, why=why)
        return Replanned(plan, is_late)

    def adopt(self, plan: Plan, *, why: str) -> None:
        """Store it."""
        self._store.replace_plan(self._run.id, cast("Json", plan.to_json()), self._clock.now(), why=why)

    def elapsed_seconds(self) -> float:
        """Return how long ago the run was started."""
        return self._run.elapsed_seconds(self._clock.now())

    def _limits_left(self, old: Plan) -> Limits:
        now = self._clock.now()
        usd, seconds = old.limits.get("usd"), old.limits.get("seconds")
        spent = sum(each.cost_usd(now) for each in self._journal.records() if each.run == self._run.id)
        return Limits(
            usd=None if usd is None else max(usd - spent, 0.0),
            grams=old.limits.get("grams"),
            seconds=None if seconds is None else max(seconds - self.elapsed_seconds(), 0.0),
        )

    def refused(self, block: Block) -> None:
        """Store it."""
        self._blocks.remember(block)

    def blocks(self) -> tuple[Block, ...]:
        """Read what an earlier driver has stored."""
        return self._blocks.remembered(self._clock.now())

    def observe(self, offering: Offering, outcome: Outcome, seconds: float | None = None) -> None:
        """Store it."""
        seen = Observation(offering=offering.id, at=self._clock.now(), outcome=outcome, seconds=seconds)
        ObservationStore(self._store).record_observations([seen])
