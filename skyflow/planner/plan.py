"""The planner's entry: jobs with their candidates in, a verified plan out."""

from collections.abc import Callable, Sequence
from functools import partial

from skyflow.errors import SolverError
from skyflow.model.catalog import TransferRates
from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof, Transfer
from skyflow.model.units import format_duration
from skyflow.planner.bounds import is_least, lower_bound, within
from skyflow.planner.build import DEFAULT_ESTIMATE_SECONDS, PlanningJob, build_problem
from skyflow.planner.greedy import better, forward, greedy, improve, other, score
from skyflow.planner.problem import Choice, PlacementProblem, reduced_for
from skyflow.planner.schedule import evaluate
from skyflow.planner.solve import Search, Solver, search
from skyflow.planner.verify import PROOF_GAP, verify_plan

__all__ = ["plan_jobs"]


def plan_jobs(
    jobs: Sequence[PlanningJob],
    *,
    transfers: TransferRates,
    objective: Objective,
    local_slots: int,
    clock: Callable[[], float],
    time_limit_seconds: float = 10.0,
    solver: Solver = "cbc",
) -> Plan:
    """Decide where and when every job runs.

    `transfers` must know the place of every candidate. `local_slots` is how many jobs the local machine runs at once;
    clouds take any number. `clock` counts seconds and never goes back. Where the bounds from the data prove the plan,
    no solver is loaded. A solver that fails, or runs out of time, leaves the best plan known without it; the plan's
    status, gap and notes say so.

    Raises:
        InternalError: the jobs break the contract of `PlanningJob`, or the plan does not pass its verification.
    """
    started = clock()
    problem = build_problem(jobs, transfers=transfers, local_slots=local_slots)
    notes: list[str] = []
    choice, bound, method = _decide(
        problem,
        objective,
        solver=solver,
        seconds_left=lambda: time_limit_seconds - (clock() - started),
        notes=notes,
    )
    is_assumed = {job.key: job.estimate is None for job in jobs}
    if assumed := sum(is_assumed.values()):
        counted = "all jobs lack" if assumed == len(jobs) else f"{assumed} of {len(jobs)} jobs lack"
        notes.append(f"{counted} an estimate: {format_duration(DEFAULT_ESTIMATE_SECONDS)} assumed")
    plan = _assemble(
        problem, choice, objective, bound=bound, method=method, is_assumed=is_assumed, local_slots=local_slots,
        notes=tuple(notes), seconds=lambda: clock() - started,
    )  # fmt: skip
    verify_plan(plan, problem)
    return plan


def _decide(
    problem: PlacementProblem,
    objective: Objective,
    *,
    solver: Solver,
    seconds_left: Callable[[], float],
    notes: list[str],
) -> tuple[Choice, float, str]:
    """Return the best choice found, a bound on its objective, and how it was found."""
    reduced = reduced_for(problem, objective)
    bound = lower_bound(reduced, objective)
    best = forward(reduced, objective)  # takes no time, and is all that a local run needs
    if not _is_settled(reduced, objective, best):
        best = greedy(reduced, objective)
    if _is_settled(reduced, objective, best):
        return best, bound, "direct"
    try:
        result = search(reduced, objective, best, solver=solver, seconds_left=seconds_left)
    except SolverError as error:
        notes.append(f"planned without a solver, because {error.message}")
        return best, bound, "greedy"
    judge = partial(score, reduced, objective=objective)
    for found in result.choices:
        polished = improve(reduced, found, objective)
        if better(judge(polished), judge(best)):
            best = polished
    is_proven = is_least(evaluate(reduced, best), reduced, objective)
    notes.extend(_time_notes(result, objective, solver, is_proven=is_proven))
    return best, max(bound, result.bound), solver


def _is_settled(problem: PlacementProblem, objective: Objective, choice: Choice) -> bool:
    """Tell whether the data alone prove a choice the best in both objectives, or leave nothing to choose."""
    if all(len(options) == 1 for options in problem.candidates):
        return True
    found = evaluate(problem, choice)
    if not is_least(found, problem, objective):
        return False
    left = within(problem, objective, found.value(objective))
    return all(len(options) == 1 for options in left.candidates) or is_least(found, left, other(objective))


def _time_notes(result: Search, objective: Objective, solver: str, *, is_proven: bool) -> list[str]:
    if not (result.is_first_proven or is_proven):
        return [f"{solver} ran out of time: a better plan may exist"]
    if not result.is_second_proven:
        return [f"the tie-break by {other(objective)} is not proven"]
    return []


def _assemble(
    problem: PlacementProblem,
    choice: Choice,
    objective: Objective,
    *,
    bound: float,
    method: str,
    is_assumed: dict[str, bool],
    local_slots: int,
    notes: tuple[str, ...],
    seconds: Callable[[], float],
) -> Plan:
    found = evaluate(problem, choice)
    value = found.value(objective)
    placements = tuple(
        Placement(
            job=job,
            offering=choice[index].offering,
            inputs=tuple(
                Transfer(
                    from_job=problem.jobs[edge.source],
                    gigabytes=edge.gigabytes,
                    usd=problem.transfer_usd(edge, choice[edge.source].place, choice[index].place),
                    seconds=problem.transfer_seconds(edge, choice[edge.source].place, choice[index].place),
                )
                for edge in problem.incoming[index]
            ),
            duration_seconds=choice[index].seconds,
            is_duration_assumed=is_assumed[job],
            start_seconds=found.starts[index],
            compute_usd=choice[index].usd,
        )
        for index, job in enumerate(problem.jobs)
    )
    proof = Proof(value=value, bound=min(bound, value), method=method, seconds=seconds())
    return Plan(
        objective=objective,
        status=PlanStatus.OPTIMAL if proof.gap <= PROOF_GAP else PlanStatus.FEASIBLE,
        placements=placements,
        proof=proof,
        local_slots=local_slots,
        notes=notes,
    )
