"""Plans where jobs have to wait for one another: candidates are exchanged while that makes the real schedule better.

The bounds know nothing of capacities, so the plan they lead to may crowd a machine. Each exchange is judged by the whole
schedule; their number is limited by their size, so that a thousand jobs take no longer than ten.
"""

from collections.abc import Callable

from skyflow.model.objective import Goal
from skyflow.planner.bounds.network import reduced
from skyflow.planner.problem import Choice, PlacementProblem
from skyflow.planner.schedule import Evaluation, evaluate

__all__ = ["spread_out"]

_WORK_LIMIT = 1_000_000
"""Jobs and edges looked at while improving one plan; about half a second."""
_SHARE = 1e-9


def spread_out(problem: PlacementProblem, goal: Goal, choice: Choice, *, is_late: Callable[[], bool]) -> Choice:
    """Exchange one job's candidate at a time while that makes the plan better, and return the plan."""
    candidates = [columns.index.tolist() for columns in reduced(problem, goal)]
    best = _judged(evaluate(problem, choice), problem, goal)
    work_left = _WORK_LIMIT
    has_improved = True
    while has_improved:
        has_improved = False
        for job, options in enumerate(candidates):
            for k in options:
                if k == choice[job]:
                    continue
                work_left -= len(problem.jobs) + len(problem.edges)
                if work_left < 0 or is_late():
                    return choice
                changed = (*choice[:job], k, *choice[job + 1 :])
                judged = _judged(evaluate(problem, changed), problem, goal)
                if _is_better(judged, best):
                    choice, best, has_improved = changed, judged, True
    return choice


def _judged(found: Evaluation, problem: PlacementProblem, goal: Goal) -> tuple[float, ...]:
    """Return what a plan is judged by, the most important first: limits missed, the goal, the other figures."""
    limits = problem.limits.named()
    values = {"usd": found.usd, "grams": found.grams, "seconds": found.makespan_seconds}
    missed = sum(max(0.0, values[name] / limit - 1.0) if limit else values[name] for name, limit in limits.items())
    ties = (one.value(usd=found.usd, grams=found.grams, seconds=found.makespan_seconds) for one in goal.tie_breaks)
    # jobs that end earlier on average are a step towards a shorter run even where the longest path stays as it is
    return (missed, found.value(goal), *ties, sum(found.starts))


def _is_better(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    for mine, yours in zip(left, right, strict=True):
        slack = _SHARE * max(abs(mine), abs(yours))
        if mine < yours - slack:
            return True
        if mine > yours + slack:
            return False
    return False
