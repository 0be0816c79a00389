"""Plans a workflow: from its jobs and the catalog to a decision for each job."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from math import inf
from types import MappingProxyType

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.container_engine import engine_for
from skyflow.app.market.catalog_folder import catalog_folder
from skyflow.app.market.config import project_config
from skyflow.app.market.residency import refuse_unknown_places
from skyflow.app.planning.artifact_sizes import last_sizes
from skyflow.app.planning.candidates import Selection
from skyflow.app.planning.capacities import limited_pools
from skyflow.app.planning.data_history import DataHistory, data_history
from skyflow.app.planning.data_ways import store_notes, transfer_rates
from skyflow.app.planning.expansion import ExpectedJobs, expected_jobs
from skyflow.app.planning.hours import hours_of
from skyflow.app.planning.knowledge import known_for
from skyflow.app.planning.refusals import jobs_with_offers
from skyflow.app.planning.unmatched import unmatched_names
from skyflow.app.project import Project, find_project
from skyflow.catalog import Catalog, load_catalog
from skyflow.errors import InfeasibleError, PlanningError, UsageError
from skyflow.model.blocks import Block
from skyflow.model.catalog import Offering
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Plan
from skyflow.model.planning import PlanSpec
from skyflow.model.recovery import RecoveryStrategy
from skyflow.model.resources import LOCAL, PROVIDERS, RENTED
from skyflow.model.workflow import Workflow
from skyflow.planner import Knowledge, Limits, PlanningJob
from skyflow.planner.build import Problem, build_problem
from skyflow.planner.hours import Hours
from skyflow.planner.plan import solve_problem
from skyflow.planner.solver.solve import Solver
from skyflow.provisioners.local import this_machine

__all__ = ["PlanOptions", "Planning", "default_slots", "plan_workflow", "prepare_planning"]


def default_slots() -> int:
    """Return how many jobs this machine runs at once unless told otherwise: one for each CPU we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What the caller asks of a plan, in place of what the workflow says.

    `providers` are those to use only; `slots` how many jobs this machine runs at once, by default one for each CPU;
    `limits` replace the workflow's one by one. After `time_limit_seconds` the best plan so far is taken; `solver` decides
    what the bounds leave open. `pinned` are jobs that run or have run, by key: where, and how many seconds they still
    take; `lost` are the ids of offerings that cannot be had, `blocks` more of them. `counts_carbon` says that plans for
    other goals will be asked for, which count it. `wait_seconds` replaces the workflow's `plan.wait`; `begins_at` is when
    the run is to begin, by default now. `anywhere` leaves the workflow's residency away, `asks_again` counts on what clouds
    have refused to earlier runs.
    """

    objective: Objective | None = None
    providers: Collection[str] | None = None
    slots: int | None = None
    limits: Limits = field(default_factory=Limits)
    time_limit_seconds: float = 10.0
    solver: Solver = "cbc"
    pinned: Mapping[str, tuple[Offering, float]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    blocks: tuple[Block, ...] = ()
    counts_carbon: bool = False
    wait_seconds: float | None = None
    begins_at: datetime | None = None
    anywhere: bool = False
    asks_again: bool = False


@dataclass(frozen=True, kw_only=True)
class Planning:
    """A workflow ready to be planned, under its own goal and limits or others."""

    expected: tuple[ExpectedJobs, ...]
    problem: Problem
    goal: Goal
    knowledge: Knowledge
    history: DataHistory
    slots: int
    notes: tuple[str, ...]
    options: PlanOptions
    started: float
    anywhere: Callable[[], "Planning"] | None = None
    """The same without the workflow's residency, where it has any."""
    asking_again: Callable[[], "Planning"] | None = None
    """The same with what clouds have just refused to earlier runs, where that makes a difference."""
    priced_disks: frozenset[str] = frozenset()
    """The clouds of which the project says what a disk costs."""
    notes_on_stores: Callable[[Plan], Iterator[str]] = lambda _: iter(())
    """Tells over which stores data of a plan goes."""

    @property
    def counts_carbon(self) -> bool:
        """Whether emissions are in the goal or limited."""
        return _count_carbon(self.goal, self.problem.placement.limits)

    def plan(
        self,
        *,
        goal: Goal | None = None,
        problem: Problem | None = None,
        before: Plan | None = None,
        again: bool = False,
    ) -> Plan:
        """Decide where and when every job runs; `before` is kept where nothing is better.

        The time counts from when planning began, or, `again`, from now.

        Raises:
            InfeasibleError: no plan keeps the limits.
            PlanningError: a job is to recover by the deadline, and cannot; the rest of a run goes on without.
            ProvisionError: a job is to run on this machine in a container, and there is no container engine.
        """
        clock = SystemClock().monotonic
        try:
            plan = solve_problem(
                problem or self.problem,
                goal or self.goal,
                knowledge=self.knowledge,
                local_slots=self.slots,
                started=clock() if again else self.started,
                clock=clock,
                time_limit_seconds=self.options.time_limit_seconds,
                solver=self.options.solver,
                before=before,
            )
        except InfeasibleError:
            if self.asking_again is None or problem is not None:
                raise
            return self.asking_again().plan(goal=goal, before=before)
        _refuse_missing_engine(self.expected, plan)
        if problem is None and before is None:
            _refuse_missing_paces(self.problem.jobs, plan)
        notes = (*plan.notes, *self.notes, *_disk_notes(plan, self.priced_disks), *self.notes_on_stores(plan))
        return replace(plan, notes=notes)


def plan_workflow(
    workflow: Workflow,
    *,
    callees: Mapping[str, Workflow] = MappingProxyType({}),
    objective: Objective | None = None,
    providers: Collection[str] | None = None,
    slots: int | None = None,
    wait_seconds: float | None = None,
    project: Project | None = None,
) -> Plan:
    """Decide where and when every job runs.

    Args:
        workflow: what to plan.
        callees: the workflows it may call, by what `uses` says.
        objective: what to make small; by default the workflow's own `plan.objective`, else cost.
        providers: use only these (`local`, `own`, `aws`, `gcp`, `azure`).
        slots: how many jobs this machine runs at once; by default one for each CPU.
        wait_seconds: until when jobs may wait for cleaner power, in place of the workflow's `plan.wait`; 0 for never.
        project: where earlier runs, own machines and prices, and estimating functions are; by default that of the current
            folder.

    Raises:
        UsageError: a provider is not known.
        ProvisionError: a job is to run on this machine in a container, and there is no container engine.
        NoCandidateError: nothing in the catalog satisfies a job's requirements.
        InfeasibleError: no plan keeps the limits of the workflow.
        PlanningError: a job is to recover by the deadline, and cannot.
        CatalogError: a catalog file cannot be read.
    """
    options = PlanOptions(objective=objective, providers=providers, slots=slots, wait_seconds=wait_seconds)
    return prepare_planning(workflow, callees=callees, options=options, project=project).plan()


def _refuse_missing_engine(expected: Iterable[ExpectedJobs], plan: Plan) -> None:
    here = {placement.job for placement in plan.placements if placement.offering.provider == LOCAL}
    engine_for(each.spec for each in expected if here.intersection(each.keys))


def _refuse_missing_paces(jobs: Iterable[PlanningJob], plan: Plan) -> None:
    for job in jobs:
        if job.recovery.strategy is not RecoveryStrategy.DEADLINE:
            continue
        placed = plan.placement(job.key)
        if placed.recovery is None or placed.recovery.kept_pace is not None:
            continue
        said = f"'{job.key}' is to recover by the deadline"
        if "seconds" not in plan.limits:
            raise PlanningError(f"{said}, and there is none", hint="write 'deadline' below 'plan'")
        raise PlanningError(
            f"{said}, and may not go over from {placed.offering.id} to the same on demand",
            hint="write 'market: any' below its 'resources'",
        )


def prepare_planning(
    workflow: Workflow,
    *,
    callees: Mapping[str, Workflow] = MappingProxyType({}),
    options: PlanOptions,
    project: Project | None = None,
) -> Planning:
    """Find the candidates of every job and state the problem; errors are those of `plan_workflow`.

    A matrix that depends on the results of other jobs is planned as a single job; the plan's notes say so.
    """
    started = SystemClock().monotonic()
    _refuse_unknown(options.providers or ())
    project = project or find_project()
    history = data_history(workflow, project)
    expected = tuple(expected_jobs(workflow, callees, known_gb=last_sizes(workflow, project), history=history))
    config = project_config(project.root)
    catalog = load_catalog(catalog_folder(config), config).joined_by(this_machine())
    wishes = _Wishes.of(workflow.plan, options)
    residency = wishes.plan.residency
    if residency:  # reading the regions takes a while
        refuse_unknown_places(wishes.plan, catalog.regions)
    estimates = [each.spec.estimate for each in expected if each.spec.estimate is not None]
    knowledge = known_for(workflow, estimates, catalog=catalog, project=project)
    selection = _selection(catalog, wishes, knowledge, options)
    offered = jobs_with_offers(selection, expected, project, asks_again=options.asks_again)
    hours, knowledge = _hours(catalog, offered.jobs, knowledge, wait=wishes.wait_seconds, begins_at=options.begins_at)
    slots = options.slots or default_slots()
    problem = build_problem(
        offered.jobs,
        transfers=transfer_rates(offered.jobs, project, config, catalog=catalog, history=history, residency=residency),
        local_slots=slots,
        knowledge=knowledge,
        pools=limited_pools(wishes.plan, catalog),
        limits=wishes.limits,
        hours=hours,
    )
    again = partial(prepare_planning, workflow, callees=callees, project=project)
    return Planning(
        expected=expected,
        problem=replace(problem, spill=wishes.plan.spill),
        goal=wishes.goal,
        knowledge=knowledge,
        history=history,
        slots=slots,
        notes=(*_notes(expected, catalog), *unmatched_names(expected, catalog), *offered.notes()),
        options=options,
        started=started,
        anywhere=partial(again, options=replace(options, anywhere=True)) if residency else None,
        asking_again=None if offered.are_asked else partial(again, options=replace(options, asks_again=True)),
        priced_disks=frozenset(cloud for cloud, _ in config.disk_prices),
        notes_on_stores=partial(store_notes, project=project, config=config, residency=residency),
    )


def _refuse_unknown(providers: Collection[str]) -> None:
    for unknown in sorted(set(providers) - set(PROVIDERS)):
        raise UsageError(f"there is no provider '{unknown}'", hint=did_you_mean(unknown, PROVIDERS))


def _offerings(jobs: Iterable[PlanningJob]) -> Iterator[Offering]:
    """Yield what the jobs may be placed on; those that ask for the same have their candidates in common."""
    for candidates in {id(job.candidates): job.candidates for job in jobs}.values():
        yield from candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wishes:
    """What the workflow says of its plan, and in place of it what the caller asks.

    Until `wait_seconds` from the start of the run may jobs wait for cleaner power; 0 where they may not or need not.
    """

    plan: PlanSpec
    goal: Goal
    limits: Limits
    wait_seconds: float

    @classmethod
    def of(cls, plan: PlanSpec, options: PlanOptions) -> "_Wishes":
        limits = Limits(
            usd=_first(options.limits.usd, plan.budget_usd),
            grams=_first(options.limits.grams, plan.carbon_grams),
            seconds=_first(options.limits.seconds, plan.deadline_seconds),
        )
        goal = Goal.of(options.objective) if options.objective else plan.goal or Goal.of(Objective.COST)
        waits = _count_carbon(goal, limits) and not goal.seconds
        allowed = _first(options.wait_seconds, plan.wait_seconds, limits.seconds) or 0.0
        return cls(
            plan=replace(plan, residency=(), residency_said_at=()) if options.anywhere else plan,
            goal=goal,
            limits=limits,
            wait_seconds=min(allowed, inf if limits.seconds is None else limits.seconds) if waits else 0.0,
        )

    @property
    def count_carbon(self) -> bool:
        return _count_carbon(self.goal, self.limits)


def _selection(catalog: Catalog, wishes: _Wishes, knowledge: Knowledge, options: PlanOptions) -> Selection:
    """Return what candidates are chosen from, and by."""
    return Selection(
        catalog=catalog,
        plan=wishes.plan,
        knowledge=knowledge,
        by_power=options.counts_carbon or wishes.count_carbon,
        providers=options.providers,
        pinned=options.pinned,
        lost=options.lost,
        blocks=options.blocks,
    )


def _count_carbon(goal: Goal, limits: Limits) -> bool:
    return goal.grams > 0 or limits.grams is not None


def _hours(
    catalog: Catalog, jobs: Iterable[PlanningJob], knowledge: Knowledge, *, wait: float, begins_at: datetime | None
) -> tuple[Hours | None, Knowledge]:
    """Return the hours that jobs may wait for, if any, and what is known with the power that machines draw in them."""
    if not wait:
        return None, knowledge
    begins_at = begins_at or SystemClock().now()
    hours, curve = hours_of(catalog, [*_offerings(jobs)], begins_at=begins_at, latest_seconds=wait)
    return hours, replace(knowledge, curve=curve)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _notes(expected: Iterable[ExpectedJobs], catalog: Catalog) -> Iterator[str]:
    for each in expected:
        if each.is_dynamic:
            yield f"the matrix of '{each.spec.id}' is known only when its needs have ended; planned as one job"
    if catalog.is_open and catalog.faults:
        rows = len(catalog.faults)
        what = "row of the catalog is" if rows == 1 else "rows of the catalog are"
        yield f"{rows:,} {what} wrong and left out; `skyflow catalog doctor` says why"


def _disk_notes(plan: Plan, priced: Collection[str]) -> Iterator[str]:
    jobs = [
        placement.job
        for placement in plan.placements
        if placement.setup is not None and placement.setup.disk_gib is not None
        if placement.offering.provider in set(RENTED) - set(priced)
    ]
    if jobs:
        whose = f"the disk of '{jobs[0]}' is" if len(jobs) == 1 else f"the disks of {len(jobs)} jobs are"
        yield f"{whose} not in the cost: no table has their prices, `disks` in skyflow.yml can"
