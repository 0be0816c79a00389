"""Plans improved many jobs at a time: those between which the edges form trees choose anew together, all others stay.

With a deadline, exchanging one label at a time is soon stuck: one job can only be cheaper and slower when another one becomes
faster. Where edges form no cycle, all choices are weighed at once, exactly up to the tick, by elimination along the trees
on a clock (`crossing`). The jobs outside end where they do now, or later by a share of what they have to spare. Times are
rounded up, so that what comes out really keeps the deadline. Which jobs form the trees changes from turn to turn: a large
neighbourhood (Shaw 1998), half of the jobs at once.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from skyflow.planner.bounds.crossing import Clock, Crossing, Link, Span
from skyflow.planner.bounds.network import Network
from skyflow.planner.bounds.pairwise import Floats, Ints
from skyflow.planner.bounds.paths import Paths
from skyflow.planner.bounds.trees import Tree, induced_trees

__all__ = ["Woods"]

_TICKS = 500
_PATIENCE, _HEADWAY = 5, 0.1
"""After how many turns without headway it ends: a share of the way to what is enough."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class _Around:
    """The labels of all jobs, when those outside of the trees end, and the latest time by which the run may."""

    at: Sequence[int]
    ends: Sequence[float]
    deadline: float


@dataclass(slots=True)
class _Node:
    """A job in a tree: its first tick, what each label and tick costs, and the edge to the job before it in the tree."""

    first: int
    costs: Floats
    edge: int | None = None
    parent: int | None = None
    crossing: Crossing | None = None


class Woods:
    """Improves plans of one network; labels count among those that it keeps. The same calls give the same plans."""

    def __init__(self, network: Network, paths: Paths, random: Random, *, usd: float, grams: float) -> None:
        """Take a network, its paths, what decides about trees, and what a dollar and a gram count."""
        self.network, self.paths = network, paths
        self._costs = [usd * columns.usd + grams * columns.grams for columns in network.columns]
        self._cost_per_gb = usd * network.usd_per_gb + grams * network.grams_per_gb
        self._voices = network.voices(usd=bool(usd), grams=bool(grams))
        self._random = random
        self._near = [
            [(self._other(e, j), e) for e in (*into, *out)]
            for j, (into, out) in enumerate(zip(paths.into, paths.out, strict=True))
        ]
        self._clock = Clock(1.0, is_up=True)
        self._crossings: dict[int, Crossing] = {}

    def cost(self, at: Sequence[int]) -> float:
        """Return what labels cost, as dollars and grams count here."""
        total = sum(float(costs[a]) for costs, a in zip(self._costs, at, strict=True))
        columns = self.network.columns
        for (u, v), gigabytes in zip(self.network.ends, self.network.gigabytes, strict=True):
            total += gigabytes * float(self._cost_per_gb[columns[u].place[at[u]], columns[v].place[at[v]]])
        return total

    def improved(
        self,
        at: Sequence[int],
        *,
        deadline: float,
        is_late: Callable[[], bool],
        enough: float = -math.inf,
    ) -> list[int]:
        """Return labels that cost no more and keep the deadline, as those to begin with do.

        It ends when they cost little enough, when several turns in a row have gained nothing, or too little to come there, or
        when it is late.
        """
        at, cost = list(at), self.cost(at)
        self._clock = Clock(deadline / _TICKS, is_up=True)
        idle = 0
        while deadline > 0 and idle < _PATIENCE and cost > enough and not is_late():
            idle += 1
            finishes, tails = self.paths.finishes(at), self.paths.tails(at)
            share = self._random.random()
            ends = [f + share * max(0.0, deadline - t - f) for f, t in zip(finishes, tails, strict=True)]
            changed = self._chosen_anew(_Around(at, ends, deadline))
            after = self.cost(changed)
            if after < cost * (1 - _TOLERANCE) and self.paths.makespan(changed) <= deadline:
                idle = 0 if enough == -math.inf or cost - after > _HEADWAY * (cost - enough) else idle
                at, cost = changed, after
        return at

    # ---------------------------------------------------------------------------------------------------- the trees

    def _chosen_anew(self, around: _Around) -> list[int]:
        jobs = [j for j, columns in enumerate(self.network.columns) if len(columns) > 1]
        trees = induced_trees(jobs, self._near, self._random)
        inside = {j for tree in trees for j, _ in tree}
        at = list(around.at)
        for tree in trees:
            nodes = {j: self._node(j, around, inside) for j, _ in tree}
            if any(node is None for node in nodes.values()):
                continue
            known = {j: node for j, node in nodes.items() if node is not None}
            self._gather(tree, known)
            for j, label in self._labels(tree, known).items():
                at[j] = label
        return at

    def _other(self, e: int, j: int) -> int:
        u, v = self.network.ends[e]
        return v if u == j else u

    def _node(self, j: int, around: _Around, inside: set[int]) -> _Node | None:
        """Return what each label and tick costs beside the jobs outside; None where the ticks leave nothing."""
        columns, place_of = self.network.columns, self.network.columns[j].place
        costs, arrival, latest = self._costs[j].copy(), np.zeros(len(place_of)), np.full(len(place_of), around.deadline)
        for e in self.paths.into[j]:
            u = self.network.ends[e][0]
            if u not in inside:
                there = columns[u].place[around.at[u]]
                costs += self.network.gigabytes[e] * self._cost_per_gb[there, place_of]
                np.maximum(arrival, around.ends[u] + self.paths.to_target(e, around.at[u]), out=arrival)
        for e in self.paths.out[j]:
            v = self.network.ends[e][1]
            if v not in inside:
                there = columns[v].place[around.at[v]]
                costs += self.network.gigabytes[e] * self._cost_per_gb[place_of, there]
                begins = around.ends[v] - float(columns[v].seconds[around.at[v]])
                np.minimum(latest, begins - self.paths.from_source(e, around.at[v]), out=latest)
        soonest = self._up(arrival + columns[j].seconds)
        last = np.floor(latest / self._clock.tick * (1 + _TOLERANCE)).astype(np.int64)
        if not (soonest <= last).any():
            return None
        first = int(soonest.min())
        ticks = np.arange(first, int(last.max()) + 1)
        is_open = (ticks >= soonest[:, None]) & (ticks <= last[:, None])
        return _Node(first, np.where(is_open, costs[:, None], np.inf))

    def _up(self, seconds: Floats) -> Ints:
        return self._clock.ticks(seconds)

    # -------------------------------------------------------------------------------------------------- elimination

    def _gather(self, tree: Tree, nodes: dict[int, _Node]) -> None:
        """Let each job, from the leaves on, tell the one before it what it costs at least."""
        for j, e in reversed(tree):
            if e is None:
                continue
            node, parent = nodes[j], nodes[self._other(e, j)]
            u, _ = self.network.ends[e]
            width, other = node.costs.shape[1], parent.costs.shape[1]
            if j == u:
                crossing = self._crossing(e, Span(parent.first - node.first, other, width))
                best = np.minimum.accumulate(self.paths.least_by_place(j, node.costs), axis=1)
                parent.costs = parent.costs + crossing.forward(best)
            else:
                crossing = self._crossing(e, Span(node.first - parent.first, width, other))
                best = np.minimum.accumulate(node.costs[:, ::-1], axis=1)[:, ::-1]
                parent.costs = parent.costs + crossing.backward(best)[self.network.spots[u].of]

    def _crossing(self, e: int, span: Span) -> Crossing:
        """Return an edge as it is with these ticks."""
        if e not in self._crossings:
            network, (u, v) = self.network, self.network.ends[e]
            link = Link(
                there=network.spots[u].places,
                here=network.columns[v].place,
                seconds=network.columns[v].seconds,
                gigabytes=network.gigabytes[e],
                voices=self._voices,
                cost_per_gb=self._cost_per_gb,
                seconds_per_gb=network.seconds_per_gb,
            )
            self._crossings[e] = Crossing(link, self._clock, span)
        return self._crossings[e].at(self._clock, span)

    def _labels(self, tree: Tree, nodes: dict[int, _Node]) -> dict[int, int]:
        """Return the best label of each job; none where there is no way to keep the deadline."""
        found: dict[int, tuple[int, int]] = {}
        columns = self.network.columns
        for j, e in tree:
            node = nodes[j]
            costs, ticks = node.costs, node.first + np.arange(node.costs.shape[1])
            if e is not None:
                label, tick = found[self._other(e, j)]
                u, v = self.network.ends[e]
                if j == u:
                    there = columns[v].place[label]
                    took = self._up(self.paths.from_source(e, label) + float(columns[v].seconds[label]))
                    is_open = ticks <= (tick - took)[:, None]
                    moved = self.network.gigabytes[e] * self._cost_per_gb[columns[u].place, there]
                else:
                    there = columns[u].place[label]
                    took = self._up(self.paths.to_target(e, label) + columns[v].seconds)
                    is_open = ticks >= (tick + took)[:, None]
                    moved = self.network.gigabytes[e] * self._cost_per_gb[there, columns[v].place]
                costs = np.where(is_open, costs + moved[:, None], np.inf)
            pick = int(costs.argmin())
            if not np.isfinite(costs.flat[pick]):
                return {}
            found[j] = pick // costs.shape[1], int(ticks[pick % costs.shape[1]])
        return {j: label for j, (label, _) in found.items()}
