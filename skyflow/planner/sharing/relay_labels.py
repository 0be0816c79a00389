"""What the search for shared machines (`relay`) chooses from: the candidates that can matter, and a label for each way to get one.

A candidate is left out where even the problem in which everybody has taken over a machine misses a limit with it, or is no
better than the best choice known. Of what is left, candidates count as one where they take equally long in all jobs that can
hand the same machine on, at one place, with the same use of what is scarce; the cheapest stands for all.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.pairwise import Ints
from skyflow.planner.problem import Candidates, Choice, Limits, PlacementProblem
from skyflow.planner.sharing.refine import not_too_dear

__all__ = ["HandedLabels", "hopeful", "labels_of", "told_apart"]

_TOLERANCE = 1e-9


def hopeful(
    relaxed: PlacementProblem, goal: Goal, known: Choice | None, value: float, is_late: Callable[[], bool]
) -> list[Ints]:
    """Return, per job, the candidates with which the relaxed problem can keep each limit and be as good as a value."""
    limits, free = relaxed.limits, relaxed.limited_by(Limits())
    network = Network(free, [Columns.of(options) for options in free.candidates])
    paths = network.paths()
    bounds = paths.bounds()
    latest = np.inf if limits.seconds is None else limits.seconds
    if goal.seconds:
        latest = min(latest, value / goal.seconds)
    kept = [np.flatnonzero(bounds.through(j) <= latest * (1 + _TOLERANCE)) for j in range(len(free.jobs))]
    ceilings = [(Goal.of(Objective.COST), limits.usd), (Goal.of(Objective.CARBON), limits.grams)]
    if value < np.inf:
        ceilings.append((replace(goal, seconds=0.0), value - goal.seconds * paths.least(bounds)))
    for costs, ceiling in ceilings:
        if ceiling is not None and (costs.usd or costs.grams):
            dear = not_too_dear(relaxed, costs, known or (0,) * len(free.jobs), ceiling, is_late)
            kept = [np.intersect1d(one, other) for one, other in zip(kept, dear, strict=True)]
    return kept


def told_apart(problem: PlacementProblem, goal: Goal, kept: Sequence[Ints]) -> list[list[int]]:
    """Keep, of the candidates that make no difference to any run, the cheapest."""
    kinds: list[dict[int, Hashable]] = [
        {k: _kind(problem, goal, job, k) for k in mine.tolist()} for job, mine in enumerate(kept)
    ]
    takeovers = sorted(problem.takeovers, key=lambda one: one.source)
    for one in takeovers:  # what a machine can do in the jobs before, then in those behind
        before, after = kinds[one.source], kinds[one.target]
        kinds[one.target] = {k: (kind, before.get(one.match[k])) for k, kind in after.items()}
    for one in reversed(takeovers):
        behind = {one.match[k]: kind for k, kind in kinds[one.target].items()}
        kinds[one.source] = {k: (kind, behind.get(k)) for k, kind in kinds[one.source].items()}
    found = []
    for options, mine in zip(problem.candidates, kinds, strict=True):
        cheapest: dict[Hashable, int] = {}
        for k in sorted(mine, key=partial(_price, options)):
            cheapest.setdefault(mine[k], k)
        found.append(sorted(cheapest.values()))
    return found


def _price(options: Candidates, k: int) -> tuple[float, str, int]:
    """Return what puts the same machines into the same order in all jobs, the cheapest first."""
    if not options.offerings:  # then no machine can be taken over
        return options.usd[k], "", k
    return options.offerings[k].price_usd_per_hour, options.offerings[k].id, options.offerings[k].nodes


def _kind(problem: PlacementProblem, goal: Goal, job: int, k: int) -> Hashable:
    options = problem.candidates[job]
    scarce = tuple(capacity.use(job, k) for capacity in problem.capacities)
    grams = options.grams[k] if goal.grams or problem.limits.grams is not None else 0.0
    return options.place[k], options.seconds[k], options.startup_seconds(k), scarce, grams


@dataclass(frozen=True, slots=True)
class HandedLabels:
    """The labels of one job; `before` is the label whose machine each takes over, -1 where it starts its own."""

    columns: Columns
    before: Ints


def labels_of(problem: PlacementProblem, kept: Sequence[Sequence[int]]) -> list[HandedLabels]:
    """Return the labels of each job: its candidates with machines of their own, then all ways to take one over."""
    into = {one.target: one for one in problem.takeovers}
    found: list[HandedLabels] = []
    for job, (options, mine) in enumerate(zip(problem.candidates, kept, strict=True)):
        alone = Columns.picked(options, mine)
        if job not in into:
            found.append(HandedLabels(alone, np.full(len(alone), -1)))
            continue
        standing: dict[int, list[int]] = {}  # a machine may have been taken over before, or not: a label for each
        for label, k in enumerate(found[into[job].source].columns.index.tolist()):
            standing.setdefault(k, []).append(label)
        match = into[job].match
        pairs = [(k, label) for k in mine if match[k] >= 0 for label in standing.get(match[k], ())]
        taken = Columns.picked(options, [k for k, _ in pairs])
        shares = np.array([options.working_share(k) for k, _ in pairs])
        found.append(
            HandedLabels(
                Columns(
                    np.concatenate([alone.index, taken.index]),
                    np.concatenate([alone.place, taken.place]),
                    np.concatenate([alone.usd, taken.usd * shares]),
                    np.concatenate([alone.seconds, taken.seconds * shares]),
                    np.concatenate([alone.grams, taken.grams * shares]),
                ),
                np.concatenate([np.full(len(alone), -1), np.array([label for _, label in pairs], dtype=np.int64)]),
            )
        )
    return found
