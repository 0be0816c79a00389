"""The best choice when machines may be taken over, whatever the goal and the limits: a search over labels that hand over.

A label of a job is a candidate, and whether its machine is started or taken over (`relay_labels`). One that takes it over
goes only with the same machine before it; then there is no start, and no data to wait for or to pay. It is out where another
input cannot be there when the job before ends, for no machine is held.

Time is bounded as in `paths`, dollars and grams as in `pairwise`; a label is out with which the run misses the deadline,
costs more than a limit allows, or is no better than the best choice known. Where what is fast and what is cheap disagree, the
search divides the labels of a job by their time, else as `paths` does. When every job is down to one label, what the run really
takes and costs is known (`schedule`). So the search is exact, also where a slower machine is better because it ends just when
the next job is ready; a limit on its work keeps it short, and then the bound is what the parts not looked at have. A few jobs
with limits are searched likewise where no machine is taken over.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.network import Network, reduced
from skyflow.planner.bounds.pairwise import Floats, Pairwise
from skyflow.planner.bounds.paths import Bounds, Masks, Paths
from skyflow.planner.problem import Choice, PlacementProblem
from skyflow.planner.schedule import evaluate
from skyflow.planner.sharing.relay_labels import hopeful, labels_of, told_apart

__all__ = ["best_of_few", "best_relay"]

_TOLERANCE = 1e-9
_NODES, _WORK = 2_000, 4_000_000
"""Nodes of a search at most, and labels that all of them may have together; about three seconds."""
_CANDIDATES, _LABELS = 200_000, 60_000
"""More candidates than these are not compared, and more labels are no work for a search in seconds."""
_FEW_JOBS, _FEW_LABELS, _FEW_WORK = 20, 8_000, 200_000
"""The same for a search that is tried because it is mostly over at once: half a second at most."""
_SWEEPS = 4
_CELLS = 4_000_000
"""Pairs of labels up to which a node is worth a look at what it costs."""


def best_relay(
    problem: PlacementProblem,
    relaxed: PlacementProblem,
    goal: Goal,
    known: Choice | None,
    *,
    value: float,
    is_late: Callable[[], bool],
) -> tuple[Choice | None, float] | None:
    """Return the best choice that keeps the limits, and what no choice that keeps them can be below.

    `relaxed` is the problem in which everybody has taken over a machine, `known` a choice that keeps the limits, None where
    none is known, and `value` what it is really worth, else infinity. None where there is too much to look at.
    """
    left = hopeful(relaxed, goal, known, value, is_late)
    if _count(left) > _CANDIDATES:
        return None
    kept = told_apart(problem, goal, left)
    count = sum(map(len, kept))
    if count > _LABELS:
        return None
    if not all(map(len, kept)):  # nothing is as good
        return known, value
    relay = _Relay(problem, goal, kept, known, value)
    bound = relay.search(is_late=is_late, nodes=min(_NODES, _WORK // count))
    return relay.choice, bound


def best_of_few(
    problem: PlacementProblem, goal: Goal, known: Choice | None, *, value: float, is_late: Callable[[], bool]
) -> tuple[Choice | None, float] | None:
    """Return the same for a problem in which no machine is taken over; None where it is too large to be searched by the way."""
    if len(problem.jobs) > _FEW_JOBS:
        return None
    kept = [columns.index.tolist() for columns in reduced(problem, goal)]
    count = sum(map(len, kept))
    if count > _FEW_LABELS:
        return None
    relay = _Relay(problem, goal, kept, known, value)
    bound = relay.search(is_late=is_late, nodes=min(_NODES, _FEW_WORK // count))
    return relay.choice, bound


def _count(masks: Masks) -> int:
    return sum(map(len, masks))


@dataclass(frozen=True, slots=True)
class _Node:
    """What is left of a part of the search: the labels, their times, what no choice is below, and a cheap one if cost counts."""

    masks: Masks
    bounds: Bounds
    floor: float
    cheap: list[int] | None


class _Relay(Paths):
    """The search; `choice` is the best one known, and worth `value` as it would really run."""

    def __init__(
        self, problem: PlacementProblem, goal: Goal, kept: Sequence[Sequence[int]], known: Choice | None, value: float
    ) -> None:
        """Take the candidates to choose from, a choice that keeps the limits, and what it is really worth."""
        self.problem, self.goal, self.choice, self.value = problem, goal, known, value
        labels = labels_of(problem, kept)
        self.network = network = Network(problem, [one.columns for one in labels])
        super().__init__(
            [columns.seconds for columns in network.columns],
            network.ends,
            network.tables(network.seconds_per_gb),
            network.gigabytes,
            spots=[spots.of for spots in network.spots],
            costs=[columns.usd for columns in network.columns],
        )
        self._before = {one.position: labels[one.target].before for one in problem.takeovers}
        """For each edge over which a machine may be handed over, and label of its target, the label whose machine it has."""

    def offer(self, at: Sequence[int]) -> float:
        """Take note of a choice if it keeps the limits and is the best so far; return its value."""
        choice = self.network.choice(at)
        found = evaluate(self.problem, choice)
        value = found.value(self.goal)
        if value < self.value * (1 - _TOLERANCE) and not found.exceeded(self.problem):
            self.value, self.choice = value, choice
        return value

    # --------------------------------------------------------------------------------------------------- search

    def search(self, *, is_late: Callable[[], bool], nodes: int) -> float:
        """Look for the best choice, in so many nodes at most; return what none is below."""
        open_nodes: list[tuple[float, Masks]] = [(-np.inf, [np.arange(len(times)) for times in self.seconds])]
        while open_nodes and nodes > 0 and not is_late():
            floor, masks = open_nodes.pop()
            if floor >= self._target():
                continue
            nodes -= 1
            node = self._bounded(masks)
            if node is None:
                continue
            fast = self._try(node.masks, node.bounds)
            if node.cheap is not None:
                self.offer(node.cheap)
            if node.floor < self._target():
                open_nodes.extend((node.floor, half) for half in self._halves(node, fast))
        return min([*(floor for floor, _ in open_nodes), self.value])

    def _target(self) -> float:
        return self.value * (1 - _TOLERANCE)

    def _bounded(self, masks: Masks) -> "_Node | None":
        """Drop labels until nothing changes; None where nothing is left that is better and keeps the limits."""
        goal, spent, cheap = self.goal, 0.0, None
        latest = np.inf if self.problem.limits.seconds is None else self.problem.limits.seconds * (1 + 2 * _TOLERANCE)
        while True:
            before = _count(masks)
            left = self.narrowed(
                masks, min(latest, (self._target() - spent) / goal.seconds) if goal.seconds else latest
            )
            if left is None:
                return None
            masks, bounds = left
            seconds = self.least(bounds)
            affordable = self._affordable(masks, self._target() - goal.seconds * seconds)
            if affordable is None:
                return None
            masks, spent, cheap = affordable
            if _count(masks) == before:
                return _Node(masks, bounds, spent + goal.seconds * seconds, cheap)

    def _halves(self, node: "_Node", fast: Sequence[int]) -> list[Masks]:
        """Divide the labels of the job about which what is fast and what is cheap disagree most, by their time."""
        masks, cheap = node.masks, node.cheap
        if cheap is None:
            return self._divided(masks, node.bounds, fast)
        gaps = [abs(float(times[a] - times[b])) for times, a, b in zip(self.seconds, fast, cheap, strict=True)]
        j = int(np.argmax(gaps))
        if not gaps[j]:
            return self._divided(masks, node.bounds, fast)
        is_fast = self.seconds[j][masks[j]] <= (self.seconds[j][fast[j]] + self.seconds[j][cheap[j]]) / 2
        return [[*masks[:j], masks[j][part], *masks[j + 1 :]] for part in (is_fast, ~is_fast)]

    # -------------------------------------------------------------------------------------------------- handing over

    def to_target(self, edge: int, label: int) -> Floats:
        """Return how long the data is under way to each label of the target; for ever to one with another machine."""
        waits = super().to_target(edge, label)
        if edge not in self._before:
            return waits
        before = self._before[edge]
        return np.where(before < 0, waits, np.where(before == label, 0.0, np.inf))

    def from_source(self, edge: int, label: int) -> Floats:
        """Return how long the data is under way from each label of the source; for ever from one with another machine."""
        before = self._before[edge][label] if edge in self._before else -1
        if before < 0:
            return super().from_source(edge, label)
        waits = np.full(len(self.spots[self.ends[edge][0]]), np.inf)
        waits[before] = 0.0
        return waits

    def wait(self, edge: int, at: Sequence[int]) -> float:
        """Return how long an edge's data is under way."""
        u, v = self.ends[edge]
        before = self._before[edge][at[v]] if edge in self._before else -1
        if before < 0:
            return super().wait(edge, at)
        return 0.0 if before == at[u] else np.inf

    def _arrivals(self, edge: int, finishes: Floats) -> Floats:
        arrivals = super()._arrivals(edge, finishes)
        if edge not in self._before:
            return arrivals
        before = self._before[edge]
        return np.where(before < 0, arrivals, finishes[before])

    def _remainders(self, edge: int, rest: Floats) -> Floats:
        if edge not in self._before:
            return super()._remainders(edge, rest)
        before = self._before[edge]
        is_taken = before >= 0
        remainders = super()._remainders(edge, np.where(is_taken, np.inf, rest)).copy()
        np.minimum.at(remainders, before[is_taken], rest[is_taken])
        return remainders

    # --------------------------------------------------------------------------------------------------- being there

    def narrowed(self, masks: Masks, target: float) -> tuple[Masks, Bounds] | None:
        """Drop labels likewise, and those that take over a machine which would have to be held for them."""
        while True:
            left = super().narrowed(masks, target)
            if left is None:
                return None
            masks = self._ready(*left, target)
            if not all(map(len, masks)):
                return None
            if _count(masks) == _count(left[0]):
                return left

    def _ready(self, masks: Masks, bounds: Bounds, target: float) -> Masks:
        """Keep labels that take a machine over only where all else can be there when the job before ends."""
        latest = self._latest(masks, bounds, target)
        kept = list(masks)
        for edge, before in self._before.items():
            u, v = self.ends[edge]
            others: Floats = np.zeros(len(before))
            for e in self.into[v]:
                if e != edge:
                    np.maximum(others, self._arrivals(e, bounds.heads[self.ends[e][0]]), out=others)
            is_ready = (before < 0) | (others <= latest[u][before] * (1 + 2 * _TOLERANCE))
            kept[v] = masks[v][is_ready[masks[v]]]
        return kept

    def _latest(self, masks: Masks, bounds: Bounds, target: float) -> list[Floats]:
        """Return when each label can end at the latest in a run below the target; infinitely early where it is out."""
        latest: list[Floats] = []
        for j, mask in enumerate(masks):
            arrival: Floats = np.zeros(len(self.seconds[j]))
            for e in self.into[j]:
                np.maximum(arrival, self._last_arrivals(e, latest[self.ends[e][0]]), out=arrival)
            ends: Floats = np.full(len(arrival), -np.inf)
            ends[mask] = target - bounds.tails[j][mask]
            if not self.problem.capacities:  # where something is scarce, a job may wait for it
                np.minimum(ends, arrival + self.seconds[j], out=ends)
            latest.append(ends)
        return latest

    def _last_arrivals(self, edge: int, latest: Floats) -> Floats:
        u, v = self.ends[edge]
        at_place = np.full(len(self.tables[edge]), -np.inf)
        np.maximum.at(at_place, self.spots[u], latest)
        last: Floats = (self.scales[edge] * self.tables[edge] + at_place[:, None]).max(axis=0)[self.spots[v]]
        if edge in self._before:
            before = self._before[edge]
            last = np.where(before < 0, last, latest[before])
        return last

    # ---------------------------------------------------------------------------------------------------- affording

    def _affordable(self, masks: Masks, ceiling: float) -> tuple[Masks, float, list[int] | None] | None:
        """Drop labels with which no choice keeps a limit, or has dollars and grams that the goal counts as less than the ceiling.

        Return what is left, what it costs at least by the goal, and the labels of a cheap choice; None if nothing is left.
        """
        limits, goal = self.problem.limits, self.goal
        spent, cheap = 0.0, None
        counts = bool(goal.usd or goal.grams)
        for limit, usd, grams, is_goal in (
            (limits.usd, 1.0, 0.0, False),
            (limits.grams, 0.0, 1.0, False),
            (ceiling if counts else None, goal.usd, goal.grams, True),
        ):
            if limit is None or sum(len(masks[u]) * len(masks[v]) for u, v in self.ends) > _CELLS:
                continue
            model = self._spending(masks, usd=usd, grams=grams)
            kept = model.tied(limit, share=_TOLERANCE, sweeps=_SWEEPS)
            least, _, at = model.forward()
            if model.is_proven or least > limit + 2 * _TOLERANCE * abs(limit):  # nothing costs so little
                return None
            if is_goal:
                model.improve(at)
                spent, cheap = least, [int(mask[labels[a]]) for mask, labels, a in zip(masks, kept, at, strict=True)]
            masks = [mask[labels] for mask, labels in zip(masks, kept, strict=True)]
        return masks, spent, cheap

    def _spending(self, masks: Masks, *, usd: float, grams: float) -> Pairwise:
        columns = [one.only(mask) for one, mask in zip(self.network.columns, masks, strict=True)]
        costs = [usd * one.usd + grams * one.grams for one in columns]
        per_gb = usd * self.network.usd_per_gb + grams * self.network.grams_per_gb
        out_of_question = 10.0 * (sum(float(one.max()) for one in costs) + sum(self.scales) * float(per_gb.max())) + 1.0
        ends, tables = [], []
        for e, (u, v) in enumerate(self.ends):
            if not self.scales[e] and e not in self._before:
                continue
            table = self.scales[e] * per_gb[np.ix_(columns[u].place, columns[v].place)]
            if e in self._before:
                before = self._before[e][masks[v]]
                handed = np.where(masks[u][:, None] == before[None, :], 0.0, out_of_question)
                table = np.where(before[None, :] < 0, table, handed)
            ends.append((u, v))
            tables.append(table)
        return Pairwise(costs, ends, tables, [1.0] * len(tables))
