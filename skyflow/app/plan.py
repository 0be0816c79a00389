"""Plans a workflow: from its jobs and the catalog to a decision for each job."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from math import isfinite
from types import MappingProxyType

from skyflow._util.text import did_you_mean
from skyflow.app.artifact_sizes import last_sizes
from skyflow.app.capacities import limited_pools
from skyflow.app.catalog_folder import catalog_folder
from skyflow.app.clock import SystemClock
from skyflow.app.config import project_config
from skyflow.app.container_engine import engine_for
from skyflow.app.expansion import ExpectedJobs, expected_jobs
from skyflow.app.hours import hours_of
from skyflow.app.knowledge import known_for
from skyflow.app.project import Project, find_project
from skyflow.app.residency import is_resident, unknown_place
from skyflow.catalog import Catalog, also_fitting, load_catalog, select_candidates
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.blocks import Block
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Plan
from skyflow.model.planning import DataPlace, PlanSpec
from skyflow.model.resources import LOCAL, PROVIDERS, RENTED, Estimate, Requirements
from skyflow.model.workflow import JobSpec, Workflow
from skyflow.planner import Knowledge, Limits, OutsideData, PlanningJob
from skyflow.planner.build import Problem, build_problem
from skyflow.planner.estimates import expected_timing
from skyflow.planner.hours import Hours
from skyflow.planner.plan import solve_problem
from skyflow.planner.solve import Solver
from skyflow.provisioners.local import this_machine

__all__ = ["PlanOptions", "Planning", "default_slots", "plan_workflow", "prepare_planning"]

_Question = tuple[Requirements, Estimate | None]
_Asked = tuple[_Question, str]
"""What one or several jobs ask for; with the key of a job whose past says how long it takes."""


def default_slots() -> int:
    """Return how many jobs this machine runs at once unless told otherwise: one for each CPU we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """What the caller asks of a plan, in place of what the workflow says.

    `providers` are those to use only; `slots` how many jobs this machine runs at once, by default one for each CPU;
    `limits` replace the workflow's one by one. After `time_limit_seconds` the best plan so far is taken; `solver` decides
    what the bounds leave open. `pinned` are jobs that run or have run, by key: where, and how many seconds they still
    take; `lost` are the ids of offerings that cannot be had, `blocks` more of them. `counts_carbon` says that plans for other goals will be asked
    for, which count it. `wait_seconds` replaces the workflow's `plan.wait`; `begins_at` is when the run is to begin, by default
    now. `anywhere` leaves the workflow's residency away.
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


@dataclass(frozen=True, kw_only=True)
class Planning:
    """A workflow ready to be planned, under its own goal and limits or others."""

    expected: tuple[ExpectedJobs, ...]
    problem: Problem
    goal: Goal
    knowledge: Knowledge
    slots: int
    notes: tuple[str, ...]
    options: PlanOptions
    started: float
    anywhere: Callable[[], "Planning"] | None = None
    """The same without the workflow's residency, where it has any."""
    priced_disks: frozenset[str] = frozenset()
    """The clouds of which the project says what a disk costs."""

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
            ProvisionError: a job is to run on this machine in a container, and there is no container engine.
        """
        clock = SystemClock().monotonic
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
        _refuse_missing_engine(self.expected, plan)
        return replace(plan, notes=(*plan.notes, *self.notes, *_disk_notes(plan, self.priced_disks)))


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
        CatalogError: a catalog file cannot be read.
    """
    options = PlanOptions(objective=objective, providers=providers, slots=slots, wait_seconds=wait_seconds)
    return prepare_planning(workflow, callees=callees, options=options, project=project).plan()


def _refuse_missing_engine(expected: Iterable[ExpectedJobs], plan: Plan) -> None:
    here = {placement.job for placement in plan.placements if placement.offering.provider == LOCAL}
    engine_for(each.spec for each in expected if here.intersection(each.keys))


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
    for unknown in sorted(set(options.providers or ()) - set(PROVIDERS)):
        raise UsageError(f"there is no provider '{unknown}'", hint=did_you_mean(unknown, PROVIDERS))
    project = project or find_project()
    expected = tuple(expected_jobs(workflow, callees, known_gb=last_sizes(workflow, project)))
    config = project_config(project.root)
    catalog = load_catalog(catalog_folder(config), config).joined_by(this_machine())
    plan = replace(workflow.plan, residency=()) if options.anywhere else workflow.plan
    goal = Goal.of(options.objective) if options.objective else plan.goal or Goal.of(Objective.COST)
    limits = Limits(
        usd=_first(options.limits.usd, plan.budget_usd),
        grams=_first(options.limits.grams, plan.carbon_grams),
        seconds=_first(options.limits.seconds, plan.deadline_seconds),
    )
    estimates = [each.spec.estimate for each in expected if each.spec.estimate is not None]
    knowledge = known_for(workflow, estimates, catalog=catalog, project=project)
    by_power = options.counts_carbon or goal.grams > 0 or limits.grams is not None
    jobs = _jobs(expected, _Selection(catalog, plan, options, knowledge, by_power=by_power))
    offerings = {id(job.candidates): job.candidates for job in jobs}.values()
    places = {offering.place for some in offerings for offering in some}
    places |= {data.place for job in jobs for data in job.outside}
    slots = options.slots or default_slots()
    hours: Hours | None = None
    wait = _wait_seconds(plan, options, limits, goal)
    if wait:
        begins_at = options.begins_at or SystemClock().now()
        every = (offering for some in offerings for offering in some)
        hours, curve = hours_of(catalog, every, begins_at=begins_at, latest_seconds=wait)
        knowledge = replace(knowledge, curve=curve)
    problem = build_problem(
        jobs,
        transfers=catalog.rates_between(places),
        local_slots=slots,
        knowledge=knowledge,
        pools=limited_pools(plan, catalog),
        limits=limits,
        hours=hours,
    )
    return Planning(
        expected=expected,
        problem=replace(problem, spill=plan.spill),
        goal=goal,
        knowledge=knowledge,
        slots=slots,
        notes=tuple(_notes(expected, catalog)),
        options=options,
        started=started,
        anywhere=partial(
            prepare_planning, workflow, callees=callees, options=replace(options, anywhere=True), project=project
        )
        if plan.residency
        else None,
        priced_disks=frozenset(cloud for cloud, _ in config.disk_prices),
    )


def _wait_seconds(plan: PlanSpec, options: PlanOptions, limits: Limits, goal: Goal) -> float:
    """Return until when, from the start of the run, jobs may wait for cleaner power; 0 where they may not or need not."""
    if goal.seconds or not (goal.grams or limits.grams is not None):
        return 0.0
    allowed = _first(options.wait_seconds, plan.wait_seconds, limits.seconds) or 0.0
    return allowed if limits.seconds is None else min(allowed, limits.seconds)


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
        yield f"{whose} not in the cost: no table has prices of disks, `disks` in skyflow.yml may"


@dataclass(frozen=True, slots=True)
class _Selection:
    """What the candidates of jobs are chosen from, and by."""

    catalog: Catalog
    plan: PlanSpec
    options: PlanOptions
    knowledge: Knowledge
    by_power: bool

    def of(self, question: _Question, *, job: str, key: str) -> tuple[Offering, ...]:
        """Return the offerings that a best plan can use; all there are where a quota asks what else they take up."""
        requirements, estimate = question
        some = select_candidates(
            self.catalog,
            requirements,
            job=job,
            seconds=None if estimate is None else self._seconds(estimate, key),
            by_power=self.by_power,
            every=bool(self.plan.quotas),
            blocks=self.options.blocks,
        )
        if estimate is not None and estimate.work is not None:
            some = self._of_known_speed(some, estimate, job=job, key=key)
        return _admitted(some, self.catalog, self.plan, self.options, job=job)

    def _of_known_speed(
        self, offerings: tuple[Offering, ...], estimate: Estimate, *, job: str, key: str
    ) -> tuple[Offering, ...]:
        """Leave out machines of which nobody knows how fast they do the work that the job states."""
        seconds = self._seconds(estimate, key)
        known = tuple(one for one in offerings if isfinite(seconds(one)))
        if not known:
            device = next(one.accelerators.name for one in offerings if one.accelerators)
            raise NoCandidateError(
                f"job '{job}' states its work in 'flops', and no table knows how many of them {device} does in a second",
                hint=f"add a duration for it, such as {{work: ..., on: {{{device}: 2h}}}}",
            )
        return known

    def _seconds(self, estimate: Estimate, key: str) -> Callable[[Offering], float]:
        return lambda offering: expected_timing(key, estimate, offering, self.knowledge).busy_seconds

    def with_shared(self, found: Mapping[_Asked, tuple[Offering, ...]]) -> Mapping[_Asked, tuple[Offering, ...]]:
        """Add the machines that are best for another job and fit this one too: the two may share one."""
        rented = {one.id: one for some in found.values() for one in some if one.provider in RENTED}
        wider = {}
        for asked, mine in found.items():
            (requirements, estimate), key = asked
            others = rented.keys() - {one.id for one in mine}
            more: tuple[Offering, ...] = ()
            if requirements.reuse and others:
                offered = [rented[name] for name in sorted(others)]
                more = also_fitting(self.catalog, requirements, offered, job=key)
                if estimate is not None:
                    more = tuple(one for one in more if isfinite(self._seconds(estimate, key)(one)))
            wider[asked] = (*mine, *more)
        return wider


def _jobs(expected: Sequence[ExpectedJobs], selection: _Selection) -> list[PlanningJob]:
    options = selection.options
    questions: list[tuple[ExpectedJobs, str, _Asked]] = []
    found: dict[_Asked, tuple[Offering, ...]] = {}  # many jobs ask for the same
    for each in expected:
        question = (
            _allowed(each.spec, options.providers),
            each.spec.estimate if _differs(each.spec.estimate) else None,
        )
        for key in each.keys:
            asked = question, key if selection.knowledge.is_by_job else ""
            questions.append((each, key, asked))
            if key not in options.pinned and asked not in found:
                found[asked] = selection.of(question, job=each.spec.id, key=key)
    if len(found) > 1 and not selection.plan.quotas:
        found = dict(selection.with_shared(found))
    outside = {
        each.spec.id: tuple(_outside(data, selection.catalog, job=each.spec.id) for data in each.spec.data_places)
        for each in expected
    }
    jobs = []
    for each, key, asked in questions:
        spec, pin = each.spec, options.pinned.get(key)
        jobs.append(
            PlanningJob(
                key=key,
                candidates=found[asked] if pin is None else (pin[0],),
                needs=each.needs,
                estimate=spec.estimate,
                data_gb=each.data_gb,
                outside=outside[spec.id],
                utilization=spec.requirements.utilization,
                setup=spec.requirements.setup,
                reuse=spec.requirements.reuse,
                pinned_seconds=None if pin is None else pin[1],
            )
        )
    return jobs


def _differs(estimate: Estimate | None) -> bool:
    """Tell whether a job takes another time on another machine."""
    return estimate is not None and bool(estimate.on or estimate.work or estimate.function or estimate.from_history)


def _admitted(
    offerings: tuple[Offering, ...], catalog: Catalog, plan: PlanSpec, options: PlanOptions, *, job: str
) -> tuple[Offering, ...]:
    """Leave out what residency forbids and what has been lost."""
    for place in plan.residency:
        if (hint := unknown_place(place, catalog.regions)) is not None:
            raise UsageError(
                f"'plan.residency' names '{place}', which is no jurisdiction, country, provider or region", hint=hint
            )
    resident = tuple(one for one in offerings if is_resident(one.place, plan.residency, catalog.regions))
    if not resident:
        raise NoCandidateError(
            f"job '{job}' finds machines only outside of {', '.join(plan.residency)}, where 'plan.residency' keeps it",
            hint="add a place to it; `local` is this machine"
            if offerings[0].provider == LOCAL
            else "add a place to it",
        )
    left = tuple(one for one in resident if one.id not in options.lost)
    if not left:
        raise NoCandidateError(f"job '{job}' has lost every machine it could run on")
    return left


def _outside(data: DataPlace, catalog: Catalog, *, job: str) -> OutsideData:
    if data.region == LOCAL:
        place = LOCAL_PLACE
    else:
        provider, _, region = data.region.partition("/")
        place = Place(provider, region)
        if (provider, region) not in catalog.regions:
            known = [f"{provider}/{region}" for provider, region in catalog.regions]
            raise UsageError(
                f"'data' of job '{job}' is in '{data.region}', which no table knows",
                hint=did_you_mean(data.region, known),
            )
    return OutsideData(name=data.uri, place=place, gigabytes=data.gigabytes, is_output=data.is_output)


def _allowed(spec: JobSpec, providers: Collection[str] | None) -> Requirements:
    if not providers:
        return spec.requirements
    asked = spec.requirements.providers
    both = frozenset(providers) if asked is None else asked & frozenset(providers)
    if not both:
        raise NoCandidateError(
            f"job '{spec.id}' runs on {', '.join(sorted(asked or ()))} only, which --on {', '.join(providers)} rules out",
            hint="change its runs-on, or leave --on away",
        )
    return replace(spec.requirements, providers=both)
