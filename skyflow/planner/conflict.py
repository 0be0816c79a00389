"""Why there is no plan, in words: the smallest set of limits that are in each other's way, and what would have to give."""

from collections.abc import Callable
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

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
_SHOW = {"usd": format_usd, "grams": format_grams, "seconds": format_duration}
_EXACT = {"usd": "${}", "grams": "{} g", "seconds": "{}s"}
"""How a figure is shown that tables would round to that of another one."""
_DIGITS = range(3, 18)
_LEAST = {"usd": "the cheapest {} costs {}", "grams": "the cleanest {} emits {}", "seconds": "the fastest {} takes {}"}


def explain_conflict(
    problem: PlacementProblem, found: Infeasible, *, seconds_left: Callable[[], float], solver: Solver
) -> tuple[str, tuple[str, ...], str | None]:
    """Return a sentence, the constraint families in conflict, and what would help."""
    limits = problem.limits.named()
    if not found.is_proven:
        named = " and ".join(f"the {_WORDS[name]} of {_SHOW[name](limit)}" for name, limit in limits.items())
        return (
            f"no plan was found within {named} before the time ran out; there may be one",
            tuple(_FAMILIES[name] for name in limits),
            "raise --time-limit, or loosen one of them",
        )
    if len(found.least) == 1:
        (name, _), *_ = found.least.items()
        least = _least(problem.limited_by(Limits()), name, seconds_left=seconds_left, solver=solver)
        named, best = _told_apart(name, limits[name], least)
        return (
            f"no plan keeps {named}: {best}",
            (_FAMILIES[name],),
            f"raise the {_WORDS[name]}",
        )
    smallest = _smallest(all_taken_over(problem), seconds_left=seconds_left, solver=solver)
    names, sentences = [], []
    for name in smallest:
        others = [other for other in smallest if other != name]
        loosened = problem.limited_by(Limits(**{other: limits[other] for other in others}))
        least = _least(loosened, name, seconds_left=seconds_left, solver=solver)
        named, best = _told_apart(name, limits[name], least)
        names.append(named)
        if best:
            sentences.append(f"with {' and '.join(f'the {_WORDS[other]}' for other in others)} kept, {best}")
    return (
        f"{' and '.join(names)} cannot be kept together" + "".join(f"; {sentence}" for sentence in sentences),
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


class _Least(NamedTuple):
    """The least that was found of something: dollars, grams or seconds, and whether nothing less is possible."""

    value: float
    is_proven: bool


def _least(problem: PlacementProblem, name: str, *, seconds_left: Callable[[], float], solver: Solver) -> _Least | None:
    """Return what plans within the limits cost, emit or take at least; None where none is found in time."""
    goal = Goal.of(_OBJECTIVES[name])
    best = choose(problem, goal, start=None, seconds_left=_briefly(seconds_left), solver=solver)
    return None if isinstance(best, Infeasible) else _Least(best.value, best.is_proven)


def _told_apart(name: str, limit: float, least: _Least | None) -> tuple[str, str]:
    """Return words for a limit, and for the least there is; with so many digits that the two do not look the same."""
    show = _SHOW[name]
    figures = [show(limit)] if least is None else [show(limit), show(least.value)]
    if len(set(figures)) < len(figures) or figures[0].startswith("<"):
        values = [limit] if least is None else [limit, least.value]
        written = ([_EXACT[name].format(_plain(value, digits)) for value in values] for digits in _DIGITS)
        figures = next((texts for texts in written if len(set(texts)) == len(texts)), figures)
    limited = f"the {_WORDS[name]} of {figures[0]}"
    if least is None:
        return limited, ""
    which = "possible plan" if least.is_proven else "plan that was found"
    return limited, _LEAST[name].format(which, figures[1])


def _plain(value: float, digits: int) -> str:
    return f"{Decimal(f'{value:.{digits}g}'):f}"
