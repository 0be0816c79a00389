"""Which machines to share: the exact choice among the few candidates that the bound without sharing leaves.

A label of a job is a candidate, and whether its machine is taken over. The costs are those of `pairwise`, with two tables
that know of machines: over an edge on which a machine may be handed over, a label that takes one over goes only with the
same machine before it, and then pays for no transfer. What can be left out is known beforehand: a label that already costs
too much in the problem where everybody has taken over a machine (`sharing`), and, of each job and place, all but the
cheapest candidate and those that are the same as a neighbour's.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.network import Columns, Network, reduced
from skyflow.planner.bounds.pairwise import Floats, Ints, Pairwise, Settled
from skyflow.planner.problem import Choice, Limits, PlacementProblem, Takeover

__all__ = ["not_too_dear", "shared_choice"]

_TOLERANCE = 1e-9
_CELLS = 6_000_000
"""Pairs of labels that all tables together may have; 48 MB."""


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of one job: the candidate of each, whether it takes its machine over, and what it costs."""

    candidate: Ints
    taken: "np.typing.NDArray[np.bool_]"
    costs: Floats


def shared_choice(
    problem: PlacementProblem,
    relaxed: PlacementProblem,
    goal: Goal,
    known: Choice,
    *,
    value: float,
    is_late: Callable[[], bool],
) -> tuple[Choice, float] | None:
    """Return the cheapest choice with shared machines, and what no choice can be below, whatever the limits are.

    The goal has to add up over jobs and edges. `relaxed` is the problem in which everybody has taken over a machine, and
    `value` what a known choice really costs. None where too many labels are left to look at all pairs of them.
    """
    kept = not_too_dear(relaxed, goal, known, value, is_late)
    labels = _labels(problem, goal, kept)
    if sum(len(labels[edge.source].costs) * len(labels[edge.target].costs) for edge in problem.edges) > _CELLS:
        return None
    found = _model(problem, goal, labels).solve(is_late=is_late)
    choice = tuple(int(one.candidate[a]) for one, a in zip(labels, found.labels, strict=True))
    return choice, found.bound


def not_too_dear(
    relaxed: PlacementProblem, goal: Goal, known: Choice, value: float, is_late: Callable[[], bool]
) -> list[Ints]:
    """Return, per job, the candidates with which even the relaxed problem costs no more than a value; `known` is where to begin."""
    free = relaxed.limited_by(Limits())
    network = Network(free, reduced(free, goal))
    at = network.nearest(known)
    least: Settled = network.additive(usd=goal.usd, grams=goal.grams, known=at).solve(is_late=is_late)
    places = network.additive(usd=goal.usd, grams=goal.grams, known=at).tied(value, share=_TOLERANCE)
    room = value - least.bound + _TOLERANCE * abs(value)
    kept = []
    for options, columns, labels in zip(free.candidates, network.columns, places, strict=True):
        every = Columns.of(options)
        costs = goal.usd * every.usd + goal.grams * every.grams
        cheapest = np.full(int(every.place.max()) + 1, -np.inf)  # of places that are out nothing is near enough
        best = columns.only(labels)
        cheapest[best.place] = goal.usd * best.usd + goal.grams * best.grams
        kept.append(np.flatnonzero(costs <= cheapest[every.place] + room))
    return kept


def _labels(problem: PlacementProblem, goal: Goal, kept: Sequence[Ints]) -> list[_Labels]:
    after = {one.source: one for one in problem.takeovers}
    before = {one.target: one for one in problem.takeovers}
    found = []
    for job, (options, mine) in enumerate(zip(problem.candidates, kept, strict=True)):
        every = Columns.of(options).only(mine)
        costs = goal.usd * every.usd + goal.grams * every.grams
        alone = every.best_per_place(costs, every.usd, every.seconds).index
        if job in after:  # may leave its machine to another job
            wanted = np.array(after[job].match, dtype=np.int64)[kept[after[job].target]]
            alone = np.union1d(alone, np.intersect1d(mine, wanted[wanted >= 0]))
        taken = np.array([], dtype=np.int64)
        if job in before:
            match = np.array(before[job].match, dtype=np.int64)[mine]
            taken = mine[(match >= 0) & np.isin(match, kept[before[job].source])]
        candidate = np.concatenate([alone, taken])
        is_taken = np.arange(len(candidate)) >= len(alone)
        price = dict(zip(mine.tolist(), costs.tolist(), strict=True))
        found.append(
            _Labels(
                candidate,
                is_taken,
                np.array(
                    [
                        price[k] * (options.working_share(k) if shares else 1.0)
                        for k, shares in zip(candidate.tolist(), is_taken.tolist(), strict=True)
                    ]
                ),
            )
        )
    return found


def _model(problem: PlacementProblem, goal: Goal, labels: Sequence[_Labels]) -> Pairwise:
    places = [
        np.frombuffer(options.place, dtype=np.int64)[one.candidate]
        for options, one in zip(problem.candidates, labels, strict=True)
    ]
    per_gb = goal.usd * np.array(problem.usd_per_gb) + goal.grams * np.array(problem.grams_per_gb)
    takeovers = {one.position: one for one in problem.takeovers}
    dearest = sum(float(one.costs.max()) for one in labels)
    dearest += sum(edge.gigabytes for edge in problem.edges) * float(per_gb.max())
    ends, tables = [], []
    for edge in problem.edges:
        takeover = takeovers.get(edge.position)
        if not edge.gigabytes and takeover is None:
            continue
        table = edge.gigabytes * per_gb[np.ix_(places[edge.source], places[edge.target])]
        if takeover is not None:
            table = _handed_over(table, takeover, labels, out_of_question=10.0 * dearest + 1.0)
        ends.append((edge.source, edge.target))
        tables.append(table)
    return Pairwise([one.costs for one in labels], ends, tables, [1.0] * len(tables))


def _handed_over(table: Floats, takeover: Takeover, labels: Sequence[_Labels], *, out_of_question: float) -> Floats:
    """Let labels that take a machine over follow the same machine only, with nothing to pay between them."""
    before, after = labels[takeover.source], labels[takeover.target]
    match = np.array(takeover.match, dtype=np.int64)[after.candidate]
    is_same = before.candidate[:, None] == match[None, :]
    return np.where(after.taken[None, :], np.where(is_same, 0.0, out_of_question), table)
