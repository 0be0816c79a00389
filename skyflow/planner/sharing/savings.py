"""Machines that one job takes over from another: who may, and what the most is that this can save.

Starting a machine takes time, and that is billed. A job that runs on the same offering as a job it needs, and is ready when
that ends, takes its machine over: it saves the start and the transfer between the two. Who may take over from whom is
settled beforehand, so that it is part of what is optimised rather than an afterthought: the jobs with the longest way to
the end of the run come first, and each looks at the needs that end last when every job takes the least time; of these it
gets the one with the most data that nobody else has taken. Of needs that end together, each with data, none is the last:
while the data of the others arrives, its machine would be held. So every machine goes to one job at most.

A plan cannot be better than one in which every such job has taken over, whatever it runs on. That is a problem of the
usual kind, without shared machines, and its bound holds; where its best plan really shares all machines, it is the best.
"""

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import replace

from skyflow.planner.problem import Candidates, Edge, PlacementProblem, Takeover

__all__ = ["all_taken_over", "find_heirs"]

_TOLERANCE = 1e-9


def find_heirs(
    candidates: Sequence[Candidates], edges: Sequence[Edge], setups: Sequence[Hashable | None]
) -> tuple[int, ...]:
    """Return the edges over which a machine may be taken over.

    `setups` say how each job's machine is prepared. It has to be the same for both; None neither gives nor takes one.
    """
    if not any(options.startup for options in candidates):
        return ()
    least = [min(options.seconds) for options in candidates]
    into: list[list[Edge]] = [[] for _ in candidates]
    for edge in edges:
        into[edge.target].append(edge)
    ends, ways = list(least), list(least)
    for job, coming in enumerate(into):
        ends[job] += max((ends[edge.source] for edge in coming), default=0.0)
    for job in reversed(range(len(into))):
        for edge in into[job]:
            ways[edge.source] = max(ways[edge.source], least[edge.source] + ways[job])
    taken: set[int] = set()
    heirs = []
    for job in sorted(range(len(into)), key=lambda job: (-ways[job], job)):
        willing = [
            edge
            for edge in into[job]
            if edge.source not in taken
            and setups[job] is not None
            and setups[edge.source] == setups[job]
            and _ends_last(edge, into[job], ends)
        ]
        if willing and candidates[job].startup:
            heir = max(willing, key=lambda edge: (edge.gigabytes, -edge.position))
            taken.add(heir.source)
            heirs.append(heir.position)
    return tuple(sorted(heirs))


def _ends_last(edge: Edge, coming: Sequence[Edge], ends: Sequence[float]) -> bool:
    """Tell whether nothing else that a job needs ends later, or at the same time with data that is then still to come."""
    end = ends[edge.source]
    return all(
        ends[other.source] < end * (1 - _TOLERANCE)
        or (ends[other.source] <= end * (1 + _TOLERANCE) and not other.gigabytes)
        for other in coming
        if other is not edge
    )


def all_taken_over(problem: PlacementProblem) -> PlacementProblem:
    """Return a problem in which whoever could take over a machine has, so that no plan of the real one is better."""
    candidates = list(problem.candidates)
    known: dict[tuple[int, int], Candidates] = {}
    for one in problem.takeovers:
        options = candidates[one.target]
        key = (id(options), id(one.match))
        if key not in known:
            known[key] = _without_start(options, one)
        candidates[one.target] = known[key]
    moved = [problem.edges[one.position] for one in problem.takeovers if problem.edges[one.position].gigabytes]
    relaxed = replace(problem, candidates=tuple(candidates), heirs=())
    if not moved:
        return relaxed
    # data that stays on its machine is there at once; tables know of places only, so it is for all that stay in one
    return replace(
        relaxed,
        seconds_per_gb=_free_at_home(problem.seconds_per_gb),
        usd_per_gb=_free_at_home(problem.usd_per_gb),
        grams_per_gb=_free_at_home(problem.grams_per_gb),
    )


def _without_start(options: Candidates, takeover: Takeover) -> Candidates:
    shares = [options.working_share(k) if before >= 0 else 1.0 for k, before in enumerate(takeover.match)]
    return replace(
        options,
        seconds=array("d", map(float.__mul__, options.seconds, shares)),
        usd=array("d", map(float.__mul__, options.usd, shares)),
        grams=array("d", map(float.__mul__, options.grams, shares)),
    )


def _free_at_home(table: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(0.0 if a == b else value for b, value in enumerate(row)) for a, row in enumerate(table))
