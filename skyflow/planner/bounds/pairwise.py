"""Costs that add up over jobs and edges: a pairwise graphical model, bounded and usually solved without a search.

Each job has labels with a cost, each edge a table with a cost for every pair of labels. Sequential tree-reweighted
message passing (TRW-S; Kolmogorov 2006, "Convergent Tree-Reweighted Message Passing for Energy Minimization") gives a
lower bound, and is exact on trees after one sweep each way. A label whose min-marginal shows that no choice with it can
beat the best known one is dropped, exactly; what is left shrinks until bound and best meet, or until the rest is small
enough for variable elimination.

The order in which the jobs are visited decides how fast the bound rises: a job shares what it knows among as many chains
as it has neighbours on its fuller side, so the order that `sequence` makes puts about half of them on each side. That
alone saves a third to a half of the sweeps.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skyflow.planner.bounds.elimination import eliminate
from skyflow.planner.bounds.sequence import balanced_sequence

__all__ = ["Floats", "Ints", "Pairwise", "Settled", "Truths"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Truths = NDArray[np.bool_]

_TOLERANCE = 1e-10
"""Shares of the best value below which two values count as equal."""
_STEP = 1e-3
_PATIENCE = 25
"""Sweeps in a row that may each close less than a share `_STEP` of the gap before message passing gives up."""
_SMALL, _RARELY, _SELDOM = 200, 3, 6
"""Beyond so many jobs, labels are dropped and choices tried only every so many sweeps."""
_TRY_EVERY = 10
"""Sweeps after which variable elimination may have become possible."""
_CELLS_TO_COPY = 2_000_000
_CELLS = 200_000
"""The largest table that variable elimination may make."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What is known of a model: the best labels, their value, and what no choice can be below."""

    labels: tuple[int, ...]
    value: float
    bound: float


class Pairwise:
    """A model being solved. Labels that are dropped leave `kept`; answers count in the original arrays."""

    def __init__(
        self,
        unary: Sequence[Floats],
        ends: Sequence[tuple[int, int]],
        tables: Sequence[Floats],
        scales: Sequence[float],
        known: Sequence[int] | None = None,
    ) -> None:
        """Take the costs; an edge's are its table times its scale, above 0, so that edges can share a table.

        `known` is a choice to begin with.
        """
        if sum(table.size for table in tables) <= _CELLS_TO_COPY:  # then sharing is not worth its multiplications
            tables = [table * scale for table, scale in zip(tables, scales, strict=True)]
            scales = [1.0] * len(scales)
        self.unary = [np.array(costs, dtype=np.float64) for costs in unary]
        self.ends, self.tables, self.scales = list(ends), list(tables), list(scales)
        self.kept: list[Ints] = [np.arange(len(costs)) for costs in unary]
        # per edge, what its source says to its target, and the other way round
        self._messages = [[np.zeros(len(unary[v])), np.zeros(len(unary[u]))] for u, v in ends]
        self._belief = [costs.copy() for costs in self.unary]
        self._connect()
        self._arrange()
        self._believe()
        self.bound = -np.inf
        self.best = [int(costs.argmin()) for costs in unary] if known is None else list(known)
        """Labels of the best choice known, counted in the original arrays."""
        self.upper = self.value_at(self.best)

    def _connect(self) -> None:
        """Note which edges each job has; what leads to a job with a single label becomes a cost of its neighbour."""
        self._edges: list[list[tuple[int, int]]] = [[] for _ in self.unary]
        """The edges of each job, with which end of the edge it is: 0 the source, 1 the target."""
        for edge, (u, v) in enumerate(self.ends):
            self._edges[u].append((edge, 0))
            self._edges[v].append((edge, 1))
        for j, costs in enumerate(self.unary):
            if len(costs) == 1:
                self._settle(j)

    def _arrange(self) -> None:
        """Choose the order of the jobs that still have a choice, and which of their edges lead ahead."""
        near = [[self.ends[e][1 - end] for e, end in edges] for edges in self._edges]
        self._order = balanced_sequence([j for j, costs in enumerate(self.unary) if len(costs) > 1], near)
        turn = {j: position for position, j in enumerate(self._order)}
        self._ahead: list[list[tuple[int, int]]] = [[] for _ in near]
        self._behind: list[list[tuple[int, int]]] = [[] for _ in near]
        for j, edges in enumerate(self._edges):
            for e, end in edges:
                is_ahead = turn.get(self.ends[e][1 - end], -1) > turn.get(j, -1)
                (self._ahead if is_ahead else self._behind)[j].append((e, end))
        self._alone = [j for j, costs in enumerate(self.unary) if len(costs) == 1]

    @property
    def slack(self) -> float:
        """How far a value may be from another one and still count as the same."""
        return _TOLERANCE * max(abs(self.upper), 1e-12)

    @property
    def is_proven(self) -> bool:
        """Whether the best choice known is the best there is."""
        return self.bound >= self.upper - self.slack

    def settled(self) -> Settled:
        """Return what is known now."""
        return Settled(tuple(self.best), self.upper, min(self.bound, self.upper))

    # -------------------------------------------------------------------------------------------------- choices

    def value_at(self, at: Sequence[int]) -> float:
        """Return the value of labels, counted among those that are kept."""
        total = sum(float(self.unary[j][a]) for j, a in enumerate(at))
        return total + sum(
            self.scales[e] * float(self.tables[e][a, at[self.ends[e][1]]])
            for j, a in enumerate(at)
            for e, end in self._edges[j]
            if end == 0
        )

    def _consider(self, at: list[int]) -> None:
        self.improve(at)
        value = self.value_at(at)
        if value < self.upper - self.slack:
            self.upper = value
            self.best = [int(self.kept[j][a]) for j, a in enumerate(at)]

    def improve(self, at: list[int]) -> None:
        """Give each job the label that suits its neighbours' best, again and again while that helps."""
        waiting = set(self._order)
        while waiting:
            changed: set[int] = set()
            for j in sorted(waiting):
                costs = self.unary[j].copy()
                for e, end in self._edges[j]:
                    costs += self._row(e, end, at[self.ends[e][1 - end]])
                best = int(costs.argmin())
                if costs[best] < costs[at[j]] - self.slack:
                    at[j] = best
                    changed.update(self.ends[e][1 - end] for e, end in self._edges[j])
            waiting = {j for j in changed if len(self.unary[j]) > 1}

    def _row(self, edge: int, end: int, label: int) -> Floats:
        """Return an edge's costs for each label at one end, given the label at the other."""
        row = self.tables[edge][label] if end else self.tables[edge][:, label]
        return row if self.scales[edge] == 1 else self.scales[edge] * row

    # ------------------------------------------------------------------------------------------- message passing

    def retune(self, unary: Sequence[Floats], tables: Sequence[Floats]) -> None:
        """Take other costs for the same labels; what the messages have learnt stays. Only before labels are dropped."""
        self.unary, self.tables = list(unary), list(tables)
        self._connect()
        self._believe()

    def _believe(self) -> None:
        for j, costs in enumerate(self.unary):  # afresh, so that rounding does not add up
            self._belief[j] = costs + sum(self._messages[e][1 - end] for e, end in self._edges[j])

    def heard(self, edge: int, end: int) -> Floats:
        """Return what one end of an edge says of each label at the other: 0 the source, 1 the target."""
        return self._messages[edge][end]

    def sweep(self, *, tries: bool = True, drops: bool = True) -> None:
        """Pass messages forward and back once and raise the bound; unless told not to, try choices and drop hopeless labels."""
        forward, _, at = self.forward(tries=tries)
        if tries:
            self._consider(at)
        backward, slacks, at = self.backward(tries=tries)
        if tries:
            self._consider(at)
        self.bound = max(self.bound, forward, backward)
        if not self.is_proven and drops:
            # no step of the backward pass lowers the bound, so the forward one holds when each job is looked at
            self._drop(slacks, self.upper - forward + self.slack)

    def forward(self, *, tries: bool = True) -> tuple[float, dict[int, Floats], list[int]]:
        """Pass messages along the order.

        Return the bound, how much each label costs beyond the least, and a choice made on the way if it is wanted.
        """
        return self._pass(self._order, self._ahead, self._behind, tries=tries)

    def backward(self, *, tries: bool = True) -> tuple[float, dict[int, Floats], list[int]]:
        """Pass messages against the order, and return the same."""
        return self._pass(self._order[::-1], self._behind, self._ahead, tries=tries)

    def _pass(
        self,
        order: Sequence[int],
        ahead: Sequence[Sequence[tuple[int, int]]],
        behind: Sequence[Sequence[tuple[int, int]]],
        *,
        tries: bool,
    ) -> tuple[float, dict[int, Floats], list[int]]:
        bound, at = sum(float(self.unary[j][0]) for j in self._alone), [0] * len(self.unary)
        slacks: dict[int, Floats] = {}
        for j in order:
            belief = self._belief[j]
            least = float(np.minimum.reduce(belief))
            bound += least
            slacks[j] = slack = belief - least
            if tries:
                # in place of what jobs behind say of all their labels, what the labels they got really cost
                costs = slack.copy()
                for e, end in behind[j]:
                    costs += self._row(e, end, at[self.ends[e][1 - end]])
                    costs -= self._messages[e][1 - end]
                at[j] = int(costs.argmin())
            if ahead[j]:
                share = slack / max(len(ahead[j]), len(behind[j]))
                for e, end in ahead[j]:
                    bound += self._send(e, end, share - self._messages[e][1 - end])
        return bound, slacks, at

    def _send(self, edge: int, end: int, message: Floats) -> float:
        """Send what one end knows to the other, less its least, which is returned."""
        scale = self.scales[edge]
        if scale != 1:
            message /= scale
        said: Floats
        if end == 0:
            said = np.minimum.reduce(self.tables[edge] + message[:, None], axis=0)
        else:
            said = np.minimum.reduce(self.tables[edge] + message, axis=1)
        if scale != 1:
            said *= scale
        least = float(np.minimum.reduce(said))
        said -= least
        belief = self._belief[self.ends[edge][1 - end]]
        belief += said
        belief -= self._messages[edge][end]
        self._messages[edge][end] = said
        return least

    def _drop(self, slacks: dict[int, Floats], room: float) -> None:
        """Keep only labels with so much slack; the best known choice need not be among them."""
        keep = {j: np.flatnonzero(slack <= room) for j, slack in slacks.items()}
        fewer = {j: kept for j, kept in keep.items() if len(kept) < len(self.kept[j])}
        if not all(map(len, fewer.values())):  # nothing can beat the best choice
            self.bound = self.upper
            return
        if not fewer:
            return
        for j, kept in fewer.items():
            self.kept[j], self.unary[j] = self.kept[j][kept], self.unary[j][kept]
            for e, end in self._edges[j]:
                table = self.tables[e]
                table = np.ascontiguousarray(table[:, kept]) if end else table[kept]
                if self.scales[e] != 1:  # it is no longer shared
                    table *= self.scales[e]
                    self.scales[e] = 1.0
                self.tables[e] = table
                self._messages[e][1 - end] = self._messages[e][1 - end][kept]
        alone = [j for j, kept in fewer.items() if len(kept) == 1]
        for j in alone:
            self._settle(j)
        if alone:
            self._arrange()
        self._believe()

    def _settle(self, j: int) -> None:
        """Count the edges of a job with a single label as costs of its neighbours."""
        for e, end in self._edges[j]:
            other = self.ends[e][1 - end]
            self.unary[other] = self.unary[other] + self._row(e, 1 - end, 0)
            self._edges[other].remove((e, 1 - end))
        self._edges[j] = []

    def tied(self, value: float, *, share: float, sweeps: int = 30) -> list[Ints]:
        """Return the labels with which a choice may reach a value that is known to be the least."""
        for sweep in range(sweeps):
            before = sum(map(len, self.kept))
            forward, _, _ = self.forward(tries=False)
            _, slacks, _ = self.backward(tries=False)
            self._drop(slacks, value - forward + share * abs(value))
            if sweep > _RARELY and sum(map(len, self.kept)) == before:
                break
        return self.kept

    def solve(self, *, is_late: Callable[[], bool], sweeps: int = 10_000) -> Settled:
        """Pass messages until the best choice is proven, nothing moves any more, or time is up."""
        idle, tried = 0, sum(map(len, self.kept))
        for sweep in range(1, sweeps + 1):
            before = self.bound
            is_small = len(self._order) <= _SMALL
            self.sweep(tries=is_small or sweep % _SELDOM == 0, drops=is_small or sweep % _RARELY == 0)
            if self.is_proven or is_late():
                break
            idle = 0 if self.bound - before > _STEP * (self.upper - self.bound) else idle + 1
            left = sum(map(len, self.kept))
            is_stuck = idle >= _PATIENCE
            if is_stuck or (sweep % _TRY_EVERY == 0 and left < 0.9 * tried):
                tried = left
                if self._eliminate() or is_stuck:
                    break
        return self.settled()

    def _eliminate(self) -> bool:
        """Solve what is left exactly, when the tables that this makes stay small; tell whether they did."""
        edges = [e for j in range(len(self.unary)) for e, end in self._edges[j] if end == 0]
        tables = [self.scales[e] * self.tables[e] for e in edges]
        found = eliminate(self.unary, [self.ends[e] for e in edges], tables, cells=_CELLS)
        if found is None:
            return False
        value = self.value_at(found)
        if value < self.upper:
            self.upper = value
            self.best = [int(self.kept[j][a]) for j, a in enumerate(found)]
        self.bound = self.upper
        return True
