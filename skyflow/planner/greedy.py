"""Plans without a solver: the start of every search, and what is left when the solver fails.

Deterministic, and quick enough for a thousand jobs: the number of plans tried is limited by their size.
"""

from collections.abc import Iterator

from skyflow.model.objective import Objective
from skyflow.planner.bounds import RELATIVE_TOLERANCE
from skyflow.planner.problem import Candidate, Choice, PlacementProblem
from skyflow.planner.schedule import evaluate

__all__ = ["Score", "better", "forward", "greedy", "improve", "other", "score"]

_WORK_LIMIT = 400_000
"""Jobs and edges looked at while improving one plan; less than half a second."""

Score = tuple[float, float, int]
"""The objective, the other objective, and the sum of the ranks; smaller is better, from left to right."""


def score(problem: PlacementProblem, choice: Choice, objective: Objective) -> Score:
    """Return what a choice is judged by."""
    evaluation = evaluate(problem, choice)
    return (
        evaluation.value(objective),
        evaluation.value(other(objective)),
        sum(candidate.rank for candidate in choice),
    )


def other(objective: Objective) -> Objective:
    """Return the objective that breaks the ties of this one."""
    match objective:
        case Objective.COST:
            return Objective.MAKESPAN
        case Objective.MAKESPAN:
            return Objective.COST


def better(left: Score, right: Score) -> bool:
    """Tell whether one score is smaller than another by more than rounding."""
    for mine, yours in zip(left[:2], right[:2], strict=True):
        slack = RELATIVE_TOLERANCE * max(abs(mine), abs(yours))
        if mine < yours - slack:
            return True
        if mine > yours + slack:
            return False
    return left[2] < right[2]


def greedy(problem: PlacementProblem, objective: Objective) -> Choice:
    """Return the best of some simple plans, improved.

    The plans: job after job the candidate that adds least to the objective; and for every place, all that can run
    there runs there, which is good where data is dear to move.
    """
    best, *others = _simple_choices(problem, objective)
    for choice in others:
        if better(score(problem, choice, objective), score(problem, best, objective)):
            best = choice
    return improve(problem, best, objective)


def improve(problem: PlacementProblem, choice: Choice, objective: Objective) -> Choice:
    """Exchange one job's candidate at a time while that makes the plan better."""
    best = score(problem, choice, objective)
    work_left = _WORK_LIMIT
    improved = True
    while improved:
        improved = False
        for job, options in enumerate(problem.candidates):
            for candidate in options:
                if candidate.rank == choice[job].rank:
                    continue
                work_left -= len(problem.jobs) + len(problem.edges)
                if work_left < 0:
                    return choice
                changed = (*choice[:job], candidate, *choice[job + 1 :])
                judged = score(problem, changed, objective)
                if better(judged, best):
                    choice, best, improved = changed, judged, True
    return choice


def _simple_choices(problem: PlacementProblem, objective: Objective) -> Iterator[Choice]:
    yield forward(problem, objective)
    for place in sorted({candidate.place for options in problem.candidates for candidate in options}):
        yield forward(problem, objective, preferred=place)


def forward(problem: PlacementProblem, objective: Objective, *, preferred: int | None = None) -> Choice:
    """Choose job after job what adds least to the objective, at the preferred place where the job can run there."""
    choice: list[Candidate] = []
    finishes: list[float] = []

    def added(job: int, candidate: Candidate) -> Score:
        usd, start = candidate.usd, 0.0
        for edge in problem.incoming[job]:
            source = choice[edge.source].place
            usd += problem.transfer_usd(edge, source, candidate.place)
            start = max(start, finishes[edge.source] + problem.transfer_seconds(edge, source, candidate.place))
        finish = start + candidate.seconds
        match objective:
            case Objective.COST:
                return (usd, finish, candidate.rank)
            case Objective.MAKESPAN:
                return (finish, usd, candidate.rank)

    for job, options in enumerate(problem.candidates):
        at_preferred = [candidate for candidate in options if candidate.place == preferred]
        scores = [(added(job, candidate), candidate) for candidate in at_preferred or options]
        best, candidate = min(scores, key=lambda scored: scored[0])
        choice.append(candidate)
        finishes.append(best[1] if objective is Objective.COST else best[0])
    return tuple(choice)
