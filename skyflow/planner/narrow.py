"""A problem with only some of the candidates of its jobs."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

from skyflow.planner.build import Problem
from skyflow.planner.problem import Candidates, Capacity

__all__ = ["narrowed"]


def narrowed(problem: Problem, kept: Mapping[int, Sequence[int]]) -> Problem:
    """Return the problem in which some jobs, by their index, have only some candidates, in the order of their indices.

    Jobs that were alike and keep the same candidates are alike still.
    """
    candidates = list(problem.placement.candidates)
    known: dict[tuple[int, tuple[int, ...]], Candidates] = {}
    for job, labels in kept.items():
        key = (id(candidates[job]), tuple(labels))
        if key not in known:
            known[key] = candidates[job].only(labels)
        candidates[job] = known[key]
    placement = replace(
        problem.placement,
        candidates=tuple(candidates),
        capacities=tuple(_narrowed(capacity, kept) for capacity in problem.placement.capacities),
    )
    return replace(problem, placement=placement)


def _narrowed(capacity: Capacity, kept: Mapping[int, Sequence[int]]) -> Capacity:
    uses = list(capacity.uses)
    for job, labels in kept.items():
        column = uses[job]
        if column is not None:
            uses[job] = array("d", [column[k] for k in labels])
    return replace(capacity, uses=tuple(uses))
