"""The makespan: bounds over paths, a first plan from them, and a search that both keep short.

`heads[j][a]` is the least time at which job j can have ended with label a when every path to it may choose for itself;
`tails[j][a]` likewise the least from there to the end of the run. Their sum is below every run with that label, so a
label where it reaches the best known makespan is out, exactly; and when a job is left without labels, that makespan is
proven the least. Where the paths disagree about a job that they share, the search takes sides: it divides the labels
of one such job, and the bounds settle most of what follows.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skyflow.planner.bounds.groups import Groups
from skyflow.planner.bounds.pairwise import Floats, Ints, Settled

__all__ = ["Bounds", "Masks", "Paths"]

_TOLERANCE = 1e-10
_MOST_EXCHANGES = 20
_MOST_NODES = 400
Masks = list[Ints]
"""The labels of each job that are still open."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The heads and the tails of every label."""

    heads: list[Floats]
    tails: list[Floats]

    def through(self, j: int) -> Floats:
        """Return what no run with each label of a job can be below."""
        return self.heads[j] + self.tails[j]


class Paths:
    """Jobs with a time per label, edges with a time per pair of places; jobs stand in an order in which they can run.

    An edge's times are its table times its scale; `spots` say, for each label of a job, where its place is in the tables.
    `costs` decide between labels that are as good in time.
    """

    def __init__(
        self,
        seconds: Sequence[Floats],
        ends: Sequence[tuple[int, int]],
        tables: Sequence[Floats],
        scales: Sequence[float],
        *,
        spots: Sequence[Ints],
        costs: Sequence[Floats],
    ) -> None:
        self.seconds, self.ends, self.spots, self.costs = list(seconds), list(ends), list(spots), list(costs)
        self.tables, self.scales = list(tables), list(scales)
        self.out: list[list[int]] = [[] for _ in seconds]
        self.into: list[list[int]] = [[] for _ in seconds]
        for edge, (u, v) in enumerate(ends):
            self.out[u].append(edge)
            self.into[v].append(edge)
        self._by_place: dict[int, Groups] = {}
        """For each job asked about, its labels by place."""
        self.upper = np.inf
        self.best: list[int] = []
        self.bound = 0.0

    # --------------------------------------------------------------------------------------------------- bounds

    def bounds(self, masks: Masks | None = None) -> Bounds:
        """Return heads and tails; labels outside of the masks count as infinitely slow."""
        count = len(self.seconds)
        own = self.seconds
        if masks is not None:
            own = [np.full(len(times), np.inf) for times in self.seconds]
            for j, mask in enumerate(masks):
                own[j][mask] = self.seconds[j][mask]
        heads: list[Floats] = []
        for j in range(count):
            arrival: Floats | float = 0.0
            for e in self.into[j]:
                arrival = np.maximum(arrival, self._arrivals(e, heads[self.ends[e][0]]))
            heads.append(own[j] + arrival)
        tails: list[Floats] = [np.empty(0)] * count
        for j in range(count - 1, -1, -1):
            rest = np.zeros(len(own[j]))
            for e in self.out[j]:
                v = self.ends[e][1]
                np.maximum(rest, self._remainders(e, own[v] + tails[v]), out=rest)
            tails[j] = rest
        return Bounds(heads, tails)

    def _arrivals(self, edge: int, finishes: Floats) -> Floats:
        u, v = self.ends[edge]
        if not self.scales[edge]:
            return np.full(len(self.spots[v]), finishes.min())
        least: Floats = (self.tables[edge] + self.least_by_place(u, finishes)[:, None] / self.scales[edge]).min(axis=0)
        return (self.scales[edge] * least)[self.spots[v]]

    def _remainders(self, edge: int, rest: Floats) -> Floats:
        u, v = self.ends[edge]
        if not self.scales[edge]:
            return np.full(len(self.spots[u]), rest.min())
        least: Floats = (self.tables[edge] + self.least_by_place(v, rest) / self.scales[edge]).min(axis=1)
        return (self.scales[edge] * least)[self.spots[u]]

    def least_by_place(self, j: int, values: Floats) -> Floats:
        """Return the least of a job's values, a row for each label, at each place."""
        if j not in self._by_place:
            self._by_place[j] = Groups(self.spots[j])
        return self._by_place[j].least(values)

    def to_target(self, edge: int, label: int) -> Floats:
        """Return how long the data of an edge is under way to each label of its target."""
        u, v = self.ends[edge]
        waits: Floats = self.scales[edge] * self.tables[edge][self.spots[u][label]]
        return waits[self.spots[v]]

    def from_source(self, edge: int, label: int) -> Floats:
        """Return how long the data of an edge is under way from each label of its source."""
        u, v = self.ends[edge]
        waits: Floats = self.scales[edge] * self.tables[edge][:, self.spots[v][label]]
        return waits[self.spots[u]]

    def wait(self, edge: int, at: Sequence[int]) -> float:
        """Return how long an edge's data is under way."""
        u, v = self.ends[edge]
        return self.scales[edge] * float(self.tables[edge][self.spots[u][at[u]], self.spots[v][at[v]]])

    def least(self, bounds: Bounds) -> float:
        """Return what no run can be below."""
        return max((float(bounds.through(j).min()) for j in range(len(self.seconds))), default=0.0)

    def narrowed(self, masks: Masks, target: float) -> tuple[Masks, Bounds] | None:
        """Drop, until nothing changes, every label with which no run is below the target; None if a job has none left."""
        while True:
            bounds = self.bounds(masks)
            kept = [mask[bounds.through(j)[mask] < target] for j, mask in enumerate(masks)]
            if not all(map(len, kept)):
                return None
            if all(len(after) == len(before) for after, before in zip(kept, masks, strict=True)):
                return masks, bounds
            masks = kept

    # ---------------------------------------------------------------------------------------------------- plans

    def makespan(self, at: Sequence[int]) -> float:
        """Return how long a run with these labels takes."""
        return max(self.finishes(at), default=0.0)

    def finishes(self, at: Sequence[int]) -> list[float]:
        """Return when each job ends with these labels."""
        finishes: list[float] = []
        for j, a in enumerate(at):
            arrival = max(
                (finishes[self.ends[e][0]] + self.wait(e, at) for e in self.into[j]),
                default=0.0,
            )
            finishes.append(arrival + float(self.seconds[j][a]))
        return finishes

    def tails(self, at: Sequence[int]) -> list[float]:
        """Return how long it is from the end of each job to the end of the run with these labels."""
        tails = [0.0] * len(at)
        for j in range(len(at) - 1, -1, -1):
            for e in self.out[j]:
                v = self.ends[e][1]
                tails[j] = max(tails[j], self.wait(e, at) + float(self.seconds[v][at[v]]) + tails[v])
        return tails

    def offer(self, at: Sequence[int]) -> float:
        """Take note of a run if it is the best so far; return its makespan."""
        value = self.makespan(at)
        if value < self.upper * (1 - _TOLERANCE):
            self.upper, self.best = value, list(at)
        return value

    def greedy(self, masks: Masks, bounds: Bounds) -> list[int]:
        """Choose job after job the label with which the run can still end soonest, and among these the cheapest."""
        at: list[int] = []
        finishes: list[float] = []
        goal = self.least(bounds)
        for j, mask in enumerate(masks):
            arrival: Floats = np.zeros(len(mask))
            for e in self.into[j]:
                u = self.ends[e][0]
                np.maximum(arrival, finishes[u] + self.to_target(e, at[u])[mask], out=arrival)
            ends = arrival + self.seconds[j][mask]
            total = ends + bounds.tails[j][mask]
            late = np.maximum(total - goal * (1 + _TOLERANCE), 0.0)
            pick = int(np.lexsort((self.costs[j][mask], total, late))[0])
            at.append(int(mask[pick]))
            finishes.append(float(ends[pick]))
        return at

    def improved(self, at: list[int], masks: Masks) -> list[int]:
        """Exchange the labels of jobs on the longest path, one at a time, while that makes the run shorter."""
        best = self.makespan(at)
        for _ in range(_MOST_EXCHANGES):
            finishes, tails = self.finishes(at), self.tails(at)
            critical = [
                j for j in range(len(at)) if len(masks[j]) > 1 and finishes[j] + tails[j] >= best * (1 - _TOLERANCE)
            ]
            moves: list[tuple[float, int, int]] = []
            for j in critical:
                mask = masks[j]
                through = self.through_alone(j, at, finishes, tails)[mask]
                pick = int(through.argmin())
                if through[pick] < best * (1 - _TOLERANCE):
                    moves.append((float(through[pick]), j, int(mask[pick])))
            for _, j, label in sorted(moves):
                changed = [*at[:j], label, *at[j + 1 :]]
                value = self.makespan(changed)
                if value < best * (1 - _TOLERANCE):
                    at, best = changed, value
                    break
            else:
                return at
        return at

    def through_alone(self, j: int, at: Sequence[int], finishes: Sequence[float], tails: Sequence[float]) -> Floats:
        """Return, per label of one job, the longest path through it when all other labels stay."""
        arrival, rest = np.zeros(len(self.seconds[j])), np.zeros(len(self.seconds[j]))
        for e in self.into[j]:
            u = self.ends[e][0]
            np.maximum(arrival, finishes[u] + self.to_target(e, at[u]), out=arrival)
        for e in self.out[j]:
            v = self.ends[e][1]
            np.maximum(rest, self.from_source(e, at[v]) + (float(self.seconds[v][at[v]]) + tails[v]), out=rest)
        return arrival + self.seconds[j] + rest

    # --------------------------------------------------------------------------------------------------- search

    def solve(self, *, is_late: Callable[[], bool]) -> Settled:
        """Look for the shortest run: bounds, a first run from them, then a search."""
        everything = [np.arange(len(times)) for times in self.seconds]
        bounds = self.bounds()
        self.bound = self.least(bounds)
        self._try(everything, bounds)
        open_nodes: list[tuple[float, Masks]] = [(self.bound, everything)]
        nodes = _MOST_NODES
        while open_nodes and not self.is_proven and nodes > 0 and not is_late():
            floor, masks = open_nodes.pop()
            if floor >= self._target():
                continue
            nodes -= 1
            left = self.narrowed(masks, self._target())
            if left is None:
                continue
            masks, bounds = left
            at = self._try(masks, bounds)
            if self.least(bounds) >= self._target():
                continue
            floor = self.least(bounds)
            open_nodes.extend((floor, half) for half in self._divided(masks, bounds, at))
        floors = [floor for floor, _ in open_nodes]
        self.bound = max(self.bound, min([*floors, self.upper]))
        return Settled(tuple(self.best), self.upper, min(self.bound, self.upper))

    @property
    def is_proven(self) -> bool:
        """Whether the best run known is the shortest there is."""
        return self.bound >= self._target()

    def _target(self) -> float:
        return self.upper * (1 - _TOLERANCE)

    def _try(self, masks: Masks, bounds: Bounds) -> list[int]:
        at = self.improved(self.greedy(masks, bounds), masks)
        self.offer(at)
        return at

    def _divided(self, masks: Masks, bounds: Bounds, at: Sequence[int]) -> list[Masks]:
        """Divide the labels of a job on the longest path; the half to look at first comes last."""
        finishes, tails = self.finishes(at), self.tails(at)
        longest = max(finishes)
        critical = [j for j in range(len(at)) if finishes[j] + tails[j] >= longest * (1 - _TOLERANCE)]
        open_jobs = [j for j in critical if len(masks[j]) > 1] or [j for j in range(len(at)) if len(masks[j]) > 1]
        if not open_jobs:
            return []

        # where the plan strays furthest from what the paths would like, the bound has most to gain
        def stray(j: int) -> float:
            through = bounds.through(j)
            return float(through[at[j]] - through[masks[j]].min())

        j = max(open_jobs, key=lambda job: (stray(job), len(self.out[job]) * len(masks[job]), -job))
        through = bounds.through(j)[masks[j]]
        order = np.argsort(through, kind="stable")
        middle = len(order) // 2
        first, second = np.sort(masks[j][order[:middle]]), np.sort(masks[j][order[middle:]])
        return [[*masks[:j], second, *masks[j + 1 :]], [*masks[:j], first, *masks[j + 1 :]]]
