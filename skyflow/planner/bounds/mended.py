"""The shortest run again, after little has changed: an earlier plan, mended where it is longest, and proven by few jobs.

A run takes as long as its longest paths, so a job that is on none of them does not matter until those are shorter. And what
some of the jobs take alone, all take at least: to leave jobs and edges out only takes constraints away. So the core begins with the
jobs on the longest paths, is planned alone, and grows by those that are on the longest ones then, until the whole run takes no
longer than the core: constraint generation (Dantzig, Fulkerson and Johnson, "Solution of a Large-Scale Traveling-Salesman
Problem", 1954). The candidates of the other jobs are not even looked at.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.network import Network, reduced
from skyflow.planner.problem import Choice, Edge, Limits, PlacementProblem

__all__ = ["mended"]

_EQUAL = 1e-10
"""Times that differ by a smaller share count as equal."""
_SHARE = 4
"""A core of more than one in so many jobs is no less work than all of them."""
_SHORTEST = Goal.of(Objective.MAKESPAN)


def mended(problem: PlacementProblem, start: Choice, *, is_late: Callable[[], bool]) -> tuple[Choice, float] | None:
    """Return a choice of proven least makespan, `start` itself or that with some jobs moved, and the makespan in seconds.

    None where it cannot be said without looking at most jobs. Limits, capacities and takeovers do not count here.
    """
    core: list[int] = []
    choice = start
    at_first = max(_finishes(problem, start))
    while not is_late():
        finishes, tails = _finishes(problem, choice), _tails(problem, choice)
        makespan = max(finishes)
        longest = {j for j in range(len(choice)) if finishes[j] + tails[j] >= makespan * (1 - _EQUAL)}
        grown = sorted(longest.union(core))
        if len(grown) == len(core) or len(grown) * _SHARE > len(choice):
            return None
        core = grown
        labels, bound = _alone(problem, core, choice, is_late=is_late)
        moved = dict(zip(core, labels, strict=True))
        choice = tuple(moved.get(j, k) for j, k in enumerate(choice))
        if at_first <= bound * (1 + _EQUAL):
            return start, at_first
        if (value := max(_finishes(problem, choice))) <= bound * (1 + _EQUAL):
            return choice, value
    return None


def _alone(
    problem: PlacementProblem, core: Sequence[int], choice: Choice, *, is_late: Callable[[], bool]
) -> tuple[Choice, float]:
    """Return the best candidates of some jobs if there were no others, and what these cannot be faster than."""
    number = {j: i for i, j in enumerate(core)}
    ends = [edge for j in core for edge in problem.incoming[j] if edge.source in number]
    part = replace(
        problem,
        jobs=tuple(problem.jobs[j] for j in core),
        candidates=tuple(problem.candidates[j] for j in core),
        edges=tuple(
            Edge(position, number[edge.source], number[edge.target], edge.gigabytes)
            for position, edge in enumerate(ends)
        ),
        limits=Limits(),
        capacities=(),
        heirs=(),
    )
    network = Network(part, reduced(part, _SHORTEST))
    paths = network.paths()
    everything = [np.arange(len(columns)) for columns in network.columns]
    paths.offer(paths.improved(network.nearest(tuple(choice[j] for j in core)), everything))
    found = paths.solve(is_late=is_late)
    return network.choice(found.labels), found.bound


def _finishes(problem: PlacementProblem, choice: Choice) -> list[float]:
    """Return when each job ends, in seconds, when no job waits for anything but its data."""
    finishes: list[float] = []
    for j, k in enumerate(choice):
        arrival = max((finishes[e.source] + _way(problem, e, choice) for e in problem.incoming[j]), default=0.0)
        finishes.append(arrival + problem.candidates[j].seconds[k])
    return finishes


def _tails(problem: PlacementProblem, choice: Choice) -> list[float]:
    """Return how long it is from the end of each job to that of the run."""
    tails = [0.0] * len(choice)
    for j in range(len(choice) - 1, -1, -1):
        rest = problem.candidates[j].seconds[choice[j]] + tails[j]
        for e in problem.incoming[j]:
            tails[e.source] = max(tails[e.source], _way(problem, e, choice) + rest)
    return tails


def _way(problem: PlacementProblem, edge: Edge, choice: Choice) -> float:
    """Return how long the data of an edge is under way."""
    there, here = problem.place(edge.source, choice), problem.place(edge.target, choice)
    return edge.gigabytes * problem.seconds_per_gb[there][here]
