"""The planner's entry: jobs with their candidates in, a verified plan out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from skyflow._util.text import sentence_list
from skyflow.errors import InfeasibleError
from skyflow.model.catalog import TransferRates
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Plan
from skyflow.model.planning import Spilled, SpillReason
from skyflow.model.units import format_duration
from skyflow.planner.build import LOCAL_SLOTS, Problem, build_problem
from skyflow.planner.choose import choose
from skyflow.planner.conflict import explain_conflict
from skyflow.planner.decide import Decision, Infeasible
from skyflow.planner.estimates import DEFAULT_ESTIMATE_SECONDS, Knowledge
from skyflow.planner.jobs import PlanningJob, Pool
from skyflow.planner.placements import ends_of, plan_of
from skyflow.planner.problem import Choice, Limits, PlacementProblem
from skyflow.planner.recovery import with_recoveries
from skyflow.planner.schedule import evaluate
from skyflow.planner.solver.solve import Solver
from skyflow.planner.spill import spilled_over
from skyflow.planner.verify import verify_plan

__all__ = ["plan_jobs", "solve_problem"]

_NAMES = 5
"""Names of jobs in one note."""
_SHORT_SECONDS = 0.5
"""Waits that round to nothing are not worth a note."""


def plan_jobs(
    jobs: Sequence[PlanningJob],
    *,
    transfers: TransferRates,
    objective: Objective | Goal,
    local_slots: int,
    clock: Callable[[], float],
    time_limit_seconds: float = 10.0,
    solver: Solver = "cbc",
    limits: Limits | None = None,
    knowledge: Knowledge | None = None,
    pools: Sequence[Pool] = (),
    before: Plan | None = None,
) -> Plan:
    """Decide where and when every job runs.

    `transfers` must know the place of every candidate. `local_slots` is how many jobs the local machine runs at once;
    clouds take any number, unless `pools` say otherwise. `clock` counts seconds and never goes back. Where bounds from the
    data prove the plan, no solver is loaded. A solver that fails, or runs out of time, leaves the best plan known without
    it; the plan's status, gap and notes say so. `before` is an earlier plan, which is kept where nothing is better.

    Raises:
        InfeasibleError: no plan keeps the limits; the message says which of them are in each other's way.
        InternalError: the jobs break the contract of `PlanningJob`, or the plan does not pass its verification.
    """
    started = clock()
    problem = build_problem(
        jobs, transfers=transfers, local_slots=local_slots, knowledge=knowledge, pools=pools, limits=limits
    )
    goal = objective if isinstance(objective, Goal) else Goal.of(objective)
    return solve_problem(
        problem,
        goal,
        knowledge=knowledge or Knowledge(),
        local_slots=local_slots,
        started=started,
        clock=clock,
        time_limit_seconds=time_limit_seconds,
        solver=solver,
        before=before,
    )


def solve_problem(
    problem: Problem,
    goal: Goal,
    *,
    knowledge: Knowledge,
    local_slots: int,
    started: float,
    clock: Callable[[], float],
    time_limit_seconds: float = 10.0,
    solver: Solver = "cbc",
    before: Plan | None = None,
) -> Plan:
    """Decide a problem that has been built; else as `plan_jobs`."""

    def seconds_left() -> float:
        return time_limit_seconds - (clock() - started)

    spilled: dict[int, Spilled] = {}
    if problem.spill is not None:
        best = partial(choose, start=None, seconds_left=seconds_left, solver=solver)
        problem, spilled = spilled_over(problem, goal, problem.spill, decide=best)
    placement = problem.placement
    start = None if before is None else _choice_of(before, problem)
    found = choose(placement, goal, seconds_left=seconds_left, solver=solver, start=start)
    if isinstance(found, Infeasible):
        message, conflict, hint = explain_conflict(placement, found, seconds_left=seconds_left, solver=solver)
        if problem.spill is not None:
            message += "; 'plan.spill' decides which jobs are rented a machine"
        raise InfeasibleError(message, conflict=conflict, hint=hint)
    plan = plan_of(
        problem,
        goal,
        found,
        knowledge=knowledge,
        local_slots=local_slots,
        seconds=clock() - started,
        spilled=spilled,
        notes=(
            *found.notes,
            *_spill_notes(problem, spilled),
            *_wait_notes(placement, found),
            *_estimate_notes(problem),
        ),
    )
    plan = with_recoveries(plan, problem, goal, found.choice, before=before)
    if goal.grams or placement.limits.grams is not None:
        plan = replace(plan, notes=(*plan.notes, *_emission_notes(plan)))
    verify_plan(plan, placement, ends=ends_of(problem))
    return plan


def _choice_of(plan: Plan, problem: Problem) -> Choice:
    """Return an earlier plan as a choice; jobs whose machine is no longer there get their first candidate."""
    placed = {placement.job: placement.offering.id for placement in plan.placements}
    choice = []
    for name, options in zip(problem.placement.jobs, problem.placement.candidates, strict=True):
        ids = [offering.id for offering in options.offerings]
        choice.append(ids.index(placed[name]) if placed.get(name) in ids else 0)
    return tuple(choice)


def _emission_notes(plan: Plan) -> list[str]:
    unknown = sum(placement.carbon_grams is None for placement in plan.placements)
    if not unknown:
        return []
    machines = (
        "no machine are known" if unknown == len(plan.placements) else f"the machines of {unknown} jobs are not known"
    )
    return [f"the emissions of {machines}; they count as none"]


def _spill_notes(problem: Problem, spilled: Mapping[int, Spilled]) -> list[str]:
    """Say which jobs are rented a machine, and why, one sentence for each reason."""
    notes = []
    for reason in SpillReason:
        jobs = {job: why.seconds for job, why in spilled.items() if why.reason is reason}
        if not jobs or problem.spill is None:
            continue
        names = [problem.placement.jobs[job] for job in sorted(jobs)]
        shown = [*names[:_NAMES], *([f"{len(names) - _NAMES} more"] if len(names) > _NAMES else [])]
        most = format_duration(max(jobs.values()))
        why = (
            f"would wait up to {most} for one that is there, longer than {format_duration(problem.spill.after_seconds)}"
            if reason is SpillReason.POOL_FULL
            else f"would make the run up to {most} late on one that is there"
        )
        notes.append(f"a machine is rented for {sentence_list(shown)}, which {why}")
    return notes


def _wait_notes(problem: PlacementProblem, decision: Decision) -> list[str]:
    """Say of everything scarce, but for the slots of this machine, how many jobs wait for it and how long."""
    choice = decision.choice
    found = evaluate(problem, choice, decision.held)
    waits = [
        min(wait, found.starts[job] - decision.held.get(job, 0.0))
        for job, wait in enumerate(found.waits(problem, choice))
    ]
    notes = []
    for capacity in problem.capacities:
        waiting = [wait for job, wait in enumerate(waits) if capacity.use(job, choice[job]) and wait > _SHORT_SECONDS]
        if waiting and capacity.name != LOCAL_SLOTS:
            jobs = "1 job waits" if len(waiting) == 1 else f"{len(waiting)} jobs wait"
            notes.append(
                f"{jobs} for the {capacity.name}, up to {format_duration(max(waiting))}: {capacity.units:g} at a time"
            )
    return notes


def _estimate_notes(problem: Problem) -> list[str]:
    lacking = [
        job for job, index in zip(problem.jobs, problem.positions, strict=True) if problem.timing(index, 0).is_assumed
    ]
    if not lacking:
        return []
    lack = "lacks" if len(lacking) == 1 else "lack"
    which = "all jobs" if len(lacking) == len(problem.jobs) > 1 else f"{len(lacking)} of {len(problem.jobs)} jobs"
    counted = "the job lacks" if len(problem.jobs) == 1 else f"{which} {lack}"
    return [f"{counted} an estimate: {format_duration(DEFAULT_ESTIMATE_SECONDS)} assumed"]
