"""The placement problem as pure data: the sets and parameters of the mathematics, already filtered; knows no solver.

Sets        jobs j in J, candidates k in K[j], places a in A, edges (i, j) in E
Parameters  usd[j,k] dollars and seconds[j,k] of a job on a candidate; place[j,k]; per edge d[i,j] gigabytes;
            Q[a,b] dollars and P[a,b] seconds per gigabyte; slots[a], the jobs that a place takes at once
A choice    one candidate per job

The same problem is stated in the SkyPilot paper (Yang et al., NSDI 2023, section "Optimizer") with tables per pair of
candidates; here they are per pair of places, because a transfer depends on nothing else.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter

from skyflow.model.catalog import Offering
from skyflow.model.objective import Objective

__all__ = [
    "Candidate",
    "Choice",
    "Edge",
    "PlacementProblem",
    "cheapest_per_place",
    "fastest_per_place",
    "pareto_per_place",
    "reduced_for",
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One offering that satisfies a job's requirements, and what the job takes and costs on it.

    `place` is an index into `PlacementProblem.slots` and the transfer tables. `rank` is the candidate's position in
    the stable order of its job that breaks the last ties; it outlives the reductions.
    """

    offering: Offering
    place: int
    seconds: float
    usd: float
    rank: int


Choice = tuple[Candidate, ...]
"""The decision: for every job, in the order of `PlacementProblem.jobs`, its candidate."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Job `target` needs job `source` and reads `gigabytes` of its data; both are indices, source < target.

    `position` is the edge's own index in `PlacementProblem.edges`.
    """

    position: int
    source: int
    target: int
    gigabytes: float


@dataclass(frozen=True, kw_only=True)
class PlacementProblem:
    """One instance.

    `jobs` are in an order in which they can run. `candidates[j]` are in the stable order that breaks ties. `slots[a]`
    is None where a place takes any number of jobs at once. The transfer tables are indexed [source][destination].
    """

    jobs: tuple[str, ...]
    candidates: tuple[tuple[Candidate, ...], ...]
    edges: tuple[Edge, ...]
    usd_per_gb: tuple[tuple[float, ...], ...]
    seconds_per_gb: tuple[tuple[float, ...], ...]
    slots: tuple[int | None, ...]

    @cached_property
    def incoming(self) -> tuple[tuple[Edge, ...], ...]:
        """The edges that end at each job, in the order of `edges`."""
        return self._by_end("target")

    @cached_property
    def outgoing(self) -> tuple[tuple[Edge, ...], ...]:
        """The edges that start at each job, in the order of `edges`."""
        return self._by_end("source")

    def _by_end(self, end: str) -> tuple[tuple[Edge, ...], ...]:
        grouped: list[list[Edge]] = [[] for _ in self.jobs]
        for edge in self.edges:
            grouped[getattr(edge, end)].append(edge)
        return tuple(map(tuple, grouped))

    def places_of(self, job: int) -> tuple[int, ...]:
        """Return the places where a job can run, ascending."""
        return tuple(sorted({candidate.place for candidate in self.candidates[job]}))

    def transfer_usd(self, edge: Edge, source: int, destination: int) -> float:
        """Return the dollars of moving an edge's data from one place to another."""
        return edge.gigabytes * self.usd_per_gb[source][destination]

    def transfer_seconds(self, edge: Edge, source: int, destination: int) -> float:
        """Return the seconds of moving an edge's data from one place to another."""
        return edge.gigabytes * self.seconds_per_gb[source][destination]

    def with_candidates(self, candidates: Sequence[Sequence[Candidate]]) -> "PlacementProblem":
        """Return the same problem with other candidates."""
        return replace(self, candidates=tuple(map(tuple, candidates)))


def reduced_for(problem: PlacementProblem, objective: Objective, *, alone: bool = False) -> PlacementProblem:
    """Keep only the candidates that a best plan can use.

    The reduction is exact for the objective and its tie-break by the other one; with `alone`, for the objective only.
    """
    match objective:
        case Objective.COST:
            return cheapest_per_place(problem)
        case Objective.MAKESPAN:
            return fastest_per_place(problem) if alone else pareto_per_place(problem)


def cheapest_per_place(problem: PlacementProblem) -> PlacementProblem:
    """Keep one candidate of each (job, place): the cheapest, among equals the fastest, then the first.

    Exact for an objective that adds up over jobs and edges, and for the makespan as its tie-breaker: a transfer
    depends on places alone, so any other candidate of the place can be exchanged for this one.
    """
    return problem.with_candidates([_best_per_place(options, _by_usd) for options in problem.candidates])


def fastest_per_place(problem: PlacementProblem) -> PlacementProblem:
    """Keep one candidate of each (job, place): the fastest, among equals the cheapest, then the first.

    Exact for the makespan alone.
    """
    return problem.with_candidates([_best_per_place(options, _by_seconds) for options in problem.candidates])


def pareto_per_place(problem: PlacementProblem) -> PlacementProblem:
    """Keep, of each (job, place), the candidates that no other one of the place beats in both dollars and seconds.

    Exact for every objective that grows with both, and for limits on either.
    """
    kept = []
    for options in problem.candidates:
        front: list[Candidate] = []
        least_usd: dict[int, float] = {}
        for candidate in sorted(options, key=_by_seconds):
            if candidate.usd < least_usd.get(candidate.place, math.inf):
                least_usd[candidate.place] = candidate.usd
                front.append(candidate)
        kept.append(sorted(front, key=attrgetter("rank")))
    return problem.with_candidates(kept)


def _by_usd(candidate: Candidate) -> tuple[float, float, int]:
    return (candidate.usd, candidate.seconds, candidate.rank)


def _by_seconds(candidate: Candidate) -> tuple[float, float, int]:
    return (candidate.seconds, candidate.usd, candidate.rank)


def _best_per_place(
    options: Sequence[Candidate], key: Callable[[Candidate], tuple[float, float, int]]
) -> list[Candidate]:
    best: dict[int, Candidate] = {}
    for candidate in sorted(options, key=key):
        best.setdefault(candidate.place, candidate)
    return sorted(best.values(), key=attrgetter("rank"))
