"""Why there is no plan, in words: the smallest set of limits that are in each other's way, and what would have to give."""

from collections.abc import Callable
from itertools import combinations

from skyflow.model.objective import Goal, Objective
from skyflow.model.units import format_duration, format_grams, format_usd
from skyflow.planner.choose import choose
from skyflow.planner.decide import Infeasible, decide
from skyflow.planner.problem import Limits, PlacementProblem
from skyflow.planner.sharing.savings import all_taken_over
from skyflow.planner.solver.solve import Solver

__all__ = ["explain_conflict"]

_FAMILIES = {"usd": "within_budget", "grams": "within_carbon_cap", "seconds": "meets_deadline"}
_OBJECTIVES = {"usd": Objective.COST, "grams": Objective.CARBON, "seconds": Objective.MAKESPAN}
_WORDS = {"usd": "budget", "grams": "carbon cap", "seconds": "deadline"}
_LEAST_SECONDS, _MOST_SECONDS = 0.5, 2.0
"""How long each of the questions may take whose answers make the words."""
_LEAST = {"usd": "the cheapest {} costs {}", "grams": "the cleanest {} emits {}", "seconds": "the fastest {} takes {}"}


def explain_conflict(
    problem: PlacementProblem, found: Infeasible, *, seconds_left: Callable[[], float], solver: Solver
) -> tuple[str, tuple[str, ...], str | None]:
    """Return a sentence, the constraint families in conflict, and what would help."""
    limits = problem.limits.named()
    if not found.is_proven:
        named = " and ".join(_named(name, limit) for name, limit in limits.items())
        return (
            f"no plan was found within {named} before the time ran out; there may be one",
            tuple(_FAMILIES[name] for name in limits),
            "raise --time-limit, or loosen one of them",
        )
    if len(found.least) == 1:
        (name, _), *_ = found.least.items()
        least = _least(problem.limited_by(Limits()), name, seconds_left=seconds_left, solver=solver)
        return (
            f"no plan keeps {_named(name, limits[name])}: {least}",
            (_FAMILIES[name],),
            f"raise the {_WORDS[name]}",
        )
    smallest = _smallest(all_taken_over(problem), seconds_left=seconds_left, solver=solver)
    sentences = []
    for name in smallest:
        others = [other for other in smallest if other != name]
        kept = " and ".join(f"the {_WORDS[other]}" for other in others)
        loosened = problem.limited_by(Limits(**{other: limits[other] for other in others}))
        if least := _least(loosened, name, seconds_left=seconds_left, solver=solver):
            sentences.append(f"with {kept} kept, {least}")
    named = " and ".join(_named(name, limits[name]) for name in smallest)
    return (
        f"{named} cannot be kept together" + "".join(f"; {sentence}" for sentence in sentences),
        tuple(_FAMILIES[name] for name in smallest),
        f"loosen the {' or the '.join(_WORDS[name] for name in smallest)}",
    )


def _smallest(problem: PlacementProblem, *, seconds_left: Callable[[], float], solver: Solver) -> tuple[str, ...]:
    """Return the smallest set of limits that leaves no plan; each alone leaves one."""
    limits = problem.limits.named()
    for size in range(2, len(limits)):
        for names in combinations(limits, size):
            fewer = problem.limited_by(Limits(**{name: limits[name] for name in names}))
            goal = Goal.of(_OBJECTIVES[names[0]])
            answer = decide(fewer, goal, seconds_left=_briefly(seconds_left), solver=solver)
            if isinstance(answer, Infeasible) and answer.is_proven:
                return names
    return tuple(limits)


def _briefly(seconds_left: Callable[[], float]) -> Callable[[], float]:
    """Return a clock of one question: a part of the time that is left, and a little where none is left."""
    rest = seconds_left() - max(_LEAST_SECONDS, min(_MOST_SECONDS, seconds_left()))
    return lambda: seconds_left() - rest


def _named(name: str, limit: float) -> str:
    return f"the {_WORDS[name]} of {_figure(name, limit)}"


def _least(problem: PlacementProblem, name: str, *, seconds_left: Callable[[], float], solver: Solver) -> str:
    """Return what plans within the limits cost, emit or take at least; nothing where none is found in time."""
    goal = Goal.of(_OBJECTIVES[name])
    best = choose(problem, goal, start=None, seconds_left=_briefly(seconds_left), solver=solver)
    if isinstance(best, Infeasible):
        return ""
    which = "possible plan" if best.is_proven else "plan that was found"
    return _LEAST[name].format(which, _figure(name, best.value))


def _figure(name: str, value: float) -> str:
    return {"usd": format_usd, "grams": format_grams, "seconds": format_duration}[name](value)
