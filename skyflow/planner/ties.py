"""Among plans that are equal in the goal, the best in the other figures, and the old one where even these are equal.

The labels that a best plan can use are few, and the goal's value becomes a limit: what is left is a problem like the
first one, with another goal. It gets little time, because a tie-break is worth little; where that is not enough to prove
it, the plan says so.
"""

from collections.abc import Callable

from skyflow.errors import SolverError
from skyflow.model.objective import Goal, Objective
from skyflow.planner.decide import PROOF_SHARE, Decision
from skyflow.planner.problem import Choice, Limits, PlacementProblem
from skyflow.planner.schedule import Evaluation, evaluate
from skyflow.planner.solver.solve import Solver

__all__ = ["broken"]

_CEILING_SLACK = 1e-8
"""The share by which the tie-break may miss the goal's value, above the solver's feasibility tolerance."""
_NODES = 50
"""How much search a tie-break is worth; counted in nodes, because a time limit would make plans irreproducible."""
_LABELS = 600
"""More open labels than these are not worth a solver's time."""
_SECONDS = 2.0


def broken(
    problem: PlacementProblem,
    goal: Goal,
    found: Decision,
    *,
    start: Choice | None,
    solver: Solver,
    seconds_left: Callable[[], float],
) -> tuple[Choice, tuple[str, ...]]:
    """Return the choice that the tie-breaks prefer, and notes."""
    if problem.is_settled:
        return found.choice, ()
    first = goal.tie_breaks[0]
    best = found.choice
    if start is not None and _is_as_good(evaluate(problem, start), evaluate(problem, best), problem, goal):
        best = start
    if not found.is_proven:
        return best, ()
    from skyflow.planner.bounds.network import tied  # noqa: PLC0415 -- imports numpy

    kept = tied(problem, goal, found.value)
    open_labels = sum(len(labels) for labels in kept if len(labels) > 1)
    if not open_labels:
        return best, ()
    best = _exchanged(problem, goal, best, kept)
    if _is_least(problem, first, best, kept):
        return best, ()
    note = f"the tie-break by {first.objective} is not proven"
    if open_labels > _LABELS or seconds_left() <= 0:
        return best, (note,)
    return _searched(problem, goal, best, kept, solver=solver, seconds_left=seconds_left, value=found.value, note=note)


def _searched(
    problem: PlacementProblem,
    goal: Goal,
    best: Choice,
    kept: list[list[int]],
    *,
    solver: Solver,
    seconds_left: Callable[[], float],
    value: float,
    note: str,
) -> tuple[Choice, tuple[str, ...]]:
    from skyflow.planner.solver.solve import solve_stage  # noqa: PLC0415 -- rarely needed

    first = goal.tie_breaks[0]
    try:
        stage = solve_stage(
            problem,
            first,
            start=best,
            kept=kept,
            solver=solver,
            max_seconds=min(_SECONDS, seconds_left()),
            ceilings=((goal, value * (1 + _CEILING_SLACK)),),
            max_nodes=_NODES,
        )
    except SolverError:
        return best, (note,)
    if stage.choice is not None:
        other = _exchanged(problem, goal, stage.choice, kept)
        if _is_better(evaluate(problem, other), evaluate(problem, best), problem, goal):
            best = other
    is_proven = stage.status.value == "optimal" or (
        evaluate(problem, best).value(first) <= stage.bound * (1 + _CEILING_SLACK)
    )
    return best, () if is_proven else (note,)


def _exchanged(problem: PlacementProblem, goal: Goal, choice: Choice, kept: list[list[int]]) -> Choice:
    """Exchange one candidate at a time while that makes the plan better by goal and tie-breaks."""
    work_left = 300_000
    best = evaluate(problem, choice)
    has_improved = True
    while has_improved:
        has_improved = False
        for job, labels in enumerate(kept):
            for k in labels if len(labels) > 1 else ():
                if k == choice[job]:
                    continue
                work_left -= len(problem.jobs) + len(problem.edges)
                if work_left < 0:
                    return choice
                changed = (*choice[:job], k, *choice[job + 1 :])
                found = evaluate(problem, changed)
                if _is_better(found, best, problem, goal) or (
                    k < choice[job] and _is_as_good(found, best, problem, goal)
                ):
                    choice, best, has_improved = changed, found, True
    return choice


def _is_least(problem: PlacementProblem, first: Goal, best: Choice, kept: list[list[int]]) -> bool:
    """Tell whether the bounds alone prove the tie-break, among the labels that are left."""
    from skyflow.planner.bounds.network import Columns, Network  # noqa: PLC0415 -- imports numpy

    columns = [Columns.picked(options, labels) for options, labels in zip(problem.candidates, kept, strict=True)]
    network = Network(problem.limited_by(Limits()), columns)
    value = evaluate(problem, best).value(first)
    if first.objective is Objective.MAKESPAN:
        paths = network.paths()
        return value <= paths.least(paths.bounds()) * (1 + PROOF_SHARE)
    least = network.additive(usd=first.usd, grams=first.grams).solve(is_late=lambda: False, sweeps=3)
    return value <= least.bound * (1 + PROOF_SHARE)


def _judged(found: Evaluation, goal: Goal) -> tuple[float, ...]:
    return tuple(found.value(one) for one in (goal, *goal.tie_breaks))


def _is_better(left: Evaluation, right: Evaluation, problem: PlacementProblem, goal: Goal) -> bool:
    if left.exceeded(problem):
        return False
    for mine, yours in zip(_judged(left, goal), _judged(right, goal), strict=True):
        slack = PROOF_SHARE * max(abs(mine), abs(yours))
        if mine < yours - slack:
            return True
        if mine > yours + slack:
            return False
    return False


def _is_as_good(left: Evaluation, right: Evaluation, problem: PlacementProblem, goal: Goal) -> bool:
    return not left.exceeded(problem) and not _is_better(right, left, problem, goal)
