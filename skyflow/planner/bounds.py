"""What no plan can be below, from the data alone: often a proof without any search, and always a smaller search."""

from collections.abc import Iterable

from skyflow.model.objective import Objective
from skyflow.planner.problem import Edge, PlacementProblem
from skyflow.planner.schedule import Evaluation

__all__ = ["RELATIVE_TOLERANCE", "is_least", "least_through", "lower_bound", "within"]

RELATIVE_TOLERANCE = 1e-9
"""Dollars or seconds that differ by a smaller share count as equal, so that rounding never decides."""


def lower_bound(problem: PlacementProblem, objective: Objective) -> float:
    """Return what no plan can be below: every plan passes through some candidate of every job.

    At a place with slots, the jobs that can run nowhere else need at least their time shared out evenly.
    """
    bound = max((min(options) for options in least_through(problem, objective)), default=0.0)
    match objective:
        case Objective.COST:
            return bound
        case Objective.MAKESPAN:
            return max(bound, _shared_out(problem))


def is_least(found: Evaluation, problem: PlacementProblem, objective: Objective) -> bool:
    """Tell whether a plan reaches the lower bound of an objective."""
    return found.value(objective) <= _raised(lower_bound(problem, objective))


def within(problem: PlacementProblem, objective: Objective, ceiling: float) -> PlacementProblem:
    """Keep only the candidates that a plan up to a known value can use; exact, because only hopeless ones go.

    A ceiling that leaves a job nothing leaves the problem as it was: then it is rounded below what it stands for.
    """
    while True:
        kept = [
            [candidate for candidate, least in zip(options, bounds, strict=True) if least <= _raised(ceiling)]
            for options, bounds in zip(problem.candidates, least_through(problem, objective), strict=True)
        ]
        if not all(kept) or sum(map(len, kept)) == sum(map(len, problem.candidates)):
            return problem
        problem = problem.with_candidates(kept)


def least_through(problem: PlacementProblem, objective: Objective) -> list[list[float]]:
    """Return for every candidate a value that no plan with it can be below, in dollars or seconds."""
    match objective:
        case Objective.COST:
            return _least_cost_through(problem)
        case Objective.MAKESPAN:
            return _least_makespan_through(problem)


def _raised(ceiling: float) -> float:
    return ceiling * (1 + RELATIVE_TOLERANCE)


def _shared_out(problem: PlacementProblem) -> float:
    work = dict.fromkeys(range(len(problem.slots)), 0.0)
    for job, options in enumerate(problem.candidates):
        if len(places := problem.places_of(job)) == 1:
            work[places[0]] += min(candidate.seconds for candidate in options)
    return max((work[place] / slots for place, slots in enumerate(problem.slots) if slots is not None), default=0.0)


def _least_cost_through(problem: PlacementProblem) -> list[list[float]]:
    """Everything else at its cheapest: all other jobs, and every edge between its cheapest pair of places."""
    cheapest = [min(candidate.usd for candidate in options) for options in problem.candidates]
    least = [_least_transfers(problem, edge) for edge in problem.edges]
    everything = sum(cheapest) + sum(min(by_source.values()) for by_source, _ in least)
    bounds = []
    for job, options in enumerate(problem.candidates):
        extra = {
            place: sum(
                least[edge.position][end][place] - min(least[edge.position][0].values())
                for edges, end in ((problem.outgoing[job], 0), (problem.incoming[job], 1))
                for edge in edges
            )
            for place in problem.places_of(job)
        }
        bounds.append([everything + candidate.usd - cheapest[job] + extra[candidate.place] for candidate in options])
    return bounds


def _least_transfers(problem: PlacementProblem, edge: Edge) -> tuple[dict[int, float], dict[int, float]]:
    """Return an edge's least dollars by source place, and by target place."""
    sources, targets = problem.places_of(edge.source), problem.places_of(edge.target)
    if edge.gigabytes == 0:
        return dict.fromkeys(sources, 0.0), dict.fromkeys(targets, 0.0)
    return (
        {source: min(problem.transfer_usd(edge, source, target) for target in targets) for source in sources},
        {target: min(problem.transfer_usd(edge, source, target) for source in sources) for target in targets},
    )


def _least_makespan_through(problem: PlacementProblem) -> list[list[float]]:
    """The longest path through the candidate, with the best place for every other job on its own."""
    fastest = [
        {
            place: min(candidate.seconds for candidate in options if candidate.place == place)
            for place in problem.places_of(job)
        }
        for job, options in enumerate(problem.candidates)
    ]
    # when all inputs of a job can be at a place, and from its end there to the end of the run
    arrivals: list[dict[int, float]] = []
    for job, edges in enumerate(problem.incoming):
        latest = dict.fromkeys(fastest[job], 0.0)
        for edge in edges:
            finishes = {place: arrivals[edge.source][place] + took for place, took in fastest[edge.source].items()}
            _raise_to(latest, _nearest(problem, edge, finishes, latest, is_forward=True))
        arrivals.append(latest)
    remains: list[dict[int, float]] = [dict.fromkeys(places, 0.0) for places in fastest]
    for job in reversed(range(len(problem.jobs))):
        for edge in problem.outgoing[job]:
            ways = {place: took + remains[edge.target][place] for place, took in fastest[edge.target].items()}
            _raise_to(remains[job], _nearest(problem, edge, ways, remains[job], is_forward=False))
    return [
        [arrivals[job][one.place] + one.seconds + remains[job][one.place] for one in options]
        for job, options in enumerate(problem.candidates)
    ]


def _nearest(
    problem: PlacementProblem, edge: Edge, seconds: dict[int, float], places: Iterable[int], *, is_forward: bool
) -> dict[int, float]:
    """Return, per place, the least of the given seconds and the transfer between their place and this one."""
    if edge.gigabytes == 0:
        return dict.fromkeys(places, min(seconds.values()))
    return {
        place: min(
            problem.transfer_seconds(edge, *((there, place) if is_forward else (place, there))) + took
            for there, took in seconds.items()
        )
        for place in places
    }


def _raise_to(values: dict[int, float], others: dict[int, float]) -> None:
    for key, other in others.items():
        values[key] = max(values[key], other)
