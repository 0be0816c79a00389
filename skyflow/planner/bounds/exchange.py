"""Plans within limits, made from what prices suggest and improved by exchanging labels.

Three ways: job after job, what the prices like best among the labels with which the deadline can still be met; one job at
a time, the label that helps most while all limits are kept; and all jobs at once, when each has to end at a fixed time
between its earliest and its latest, which is again a model of costs that add up.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.network import Network
from skyflow.planner.bounds.pairwise import Floats, Ints, Pairwise

__all__ = ["Exchange", "Figures", "Priced"]

_TOLERANCE = 1e-9
_ROUNDS = 6
_SWEEPS = 12
_SHARES = (0.5, 1.0)
_CELLS = 5_000_000
"""Pairs of labels beyond which choosing all labels anew is not worth its memory."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a choice costs and takes."""

    usd: float
    grams: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Priced:
    """Costs under some prices: of each job's labels, and with the cheapest of each place those of a pairwise model.

    `picks` are these cheapest labels; `unary` and `tables` what the model was given.
    """

    own: list[Floats]
    picks: list[Ints]
    unary: list[Floats]
    tables: list[Floats]
    model: Pairwise


class Exchange:
    """Plans of one network under one goal; labels count among those that the network keeps."""

    def __init__(self, network: Network, goal: Goal, *, is_late: Callable[[], bool]) -> None:
        self.network, self.goal, self.limits = network, goal, network.problem.limits
        self.paths = network.paths(usd=goal.usd or 1.0, grams=goal.grams)
        self.is_late = is_late
        self._tails = self.paths.bounds().tails

    # ------------------------------------------------------------------------------------------------- figures

    def figures(self, at: Sequence[int]) -> Figures:
        """Return what labels cost and take."""
        columns, gigabytes = self.network.columns, self.network.gigabytes
        usd = sum(float(column.usd[a]) for column, a in zip(columns, at, strict=True))
        grams = sum(float(column.grams[a]) for column, a in zip(columns, at, strict=True))
        for e, (u, v) in enumerate(self.network.ends):
            if gigabytes[e]:
                there, here = columns[u].place[at[u]], columns[v].place[at[v]]
                usd += gigabytes[e] * float(self.network.usd_per_gb[there, here])
                grams += gigabytes[e] * float(self.network.grams_per_gb[there, here])
        return Figures(usd, grams, self.paths.makespan(at))

    def value(self, figures: Figures) -> float:
        """Return the goal's value."""
        return self.goal.value(usd=figures.usd, grams=figures.grams, seconds=figures.seconds)

    def excess(self, figures: Figures) -> float:
        """Return by what share, at most, dollars and grams are above their limits; below 0 where they are less."""
        shares = [
            value / limit - 1.0 if limit else math.inf if value > 0 else 0.0
            for value, limit in ((figures.usd, self.limits.usd), (figures.grams, self.limits.grams))
            if limit is not None
        ]
        return max(shares, default=-1.0)

    def is_within(self, figures: Figures) -> bool:
        """Tell whether all limits are kept, rounding aside."""
        return all(
            getattr(figures, name) <= limit * (1 + _TOLERANCE) + _TOLERANCE * 1e-3
            for name, limit in self.limits.named().items()
        )

    # --------------------------------------------------------------------------------------------------- plans

    def constructed(self, priced: Priced, ways: Sequence[float], *, deadline: float, per_second: float) -> list[int]:
        """Choose job after job what the prices like best among the labels with which the deadline can still be met.

        `ways` say how long it has taken lately from the end of each job to the end of the run; a label that leaves less
        time than that pays `per_second`.
        """
        made = [0] * len(self.network.columns)
        finishes: list[float] = []
        for j, column in enumerate(self.network.columns):
            spots, model = self.network.spots[j].of, priced.model
            # what neighbours with a single place cost is in the model's own costs already
            costs = priced.own[j] + (model.unary[j] - priced.unary[j])[spots]
            arrival: Floats = np.zeros(len(costs))
            for e in self.paths.into[j]:
                u = self.network.ends[e][0]
                if len(model.unary[u]) > 1:
                    costs += priced.tables[e][self.network.spots[u].of[made[u]]][spots]
                np.maximum(arrival, finishes[u] + self.paths.to_target(e, made[u]), out=arrival)
            for e in self.paths.out[j]:
                costs += model.heard(e, 1)[spots]
            ends = arrival + column.seconds
            soonest = ends + self._tails[j]
            if deadline < math.inf:
                costs += per_second * np.maximum(ends + ways[j] - deadline, 0.0)
                costs[soonest > deadline] = np.inf
            made[j] = int(costs.argmin()) if np.isfinite(costs).any() else int(soonest.argmin())
            finishes.append(float(ends[made[j]]))
        return made

    def cheaper(self, at: Sequence[int], *, deadline: float, usd: float, grams: float) -> list[int]:
        """Exchange one label at a time while dollars and grams, so weighted, become less and the limits are kept."""
        at, figures = list(at), self.figures(at)
        finishes, tails = self.paths.finishes(at), self.paths.tails(at)
        for _ in range(_ROUNDS):
            has_moved = False
            for j, column in enumerate(self.network.columns):
                if len(column) == 1 or self.is_late():
                    continue
                costs, is_allowed = self._weighed(j, at, figures, usd=usd, grams=grams)
                if deadline < math.inf:
                    is_allowed &= self.paths.through_alone(j, at, finishes, tails) <= deadline
                pick = int(np.where(is_allowed, costs, np.inf).argmin())
                if is_allowed[pick] and costs[pick] < costs[at[j]] - _TOLERANCE * abs(costs[at[j]]):
                    at[j], has_moved = pick, True
                    figures, finishes, tails = self.figures(at), self.paths.finishes(at), self.paths.tails(at)
            if not has_moved:
                break
        return at

    def faster(self, at: Sequence[int]) -> list[int]:
        """Exchange labels on the longest path, one at a time, while the goal's value falls and the limits are kept."""
        at, figures = list(at), self.figures(at)
        for _ in range(_ROUNDS * 10):
            finishes, tails = self.paths.finishes(at), self.paths.tails(at)
            moves: list[tuple[float, int, int]] = []
            for j, column in enumerate(self.network.columns):
                if len(column) == 1 or finishes[j] + tails[j] < figures.seconds * (1 - _TOLERANCE):
                    continue
                costs, is_allowed = self._weighed(j, at, figures, usd=self.goal.usd, grams=self.goal.grams)
                costs = costs + self.goal.seconds * self.paths.through_alone(j, at, finishes, tails)
                pick = int(np.where(is_allowed, costs, np.inf).argmin())
                if is_allowed[pick] and pick != at[j]:
                    moves.append((float(costs[pick] - costs[at[j]]), j, pick))
            for _, j, pick in sorted(moves):
                changed = [*at[:j], pick, *at[j + 1 :]]
                after = self.figures(changed)
                if self.is_within(after) and self.value(after) < self.value(figures) * (1 - _TOLERANCE):
                    at, figures = changed, after
                    break
            else:
                break
            if self.is_late():
                break
        return at

    def hastened(self, at: Sequence[int], *, deadline: float, usd: float, grams: float) -> list[int] | None:
        """Exchange labels on the longest paths until a deadline is kept, where a second costs least first.

        That is how a project is crashed (Kelley and Walker, "Critical-Path Planning and Scheduling", 1959). It does not heed
        limits; None where no single label makes a longest path shorter, or it is late.
        """
        at = list(at)
        while not self.is_late():
            finishes, tails = self.paths.finishes(at), self.paths.tails(at)
            span = max(finishes)
            if span <= deadline:
                return at
            moves: list[tuple[float, int, int]] = []
            for j, column in enumerate(self.network.columns):
                if len(column) == 1 or finishes[j] + tails[j] < span * (1 - _TOLERANCE):
                    continue
                costs = self._beside(j, at, usd=usd, grams=grams)
                saved = span - np.maximum(self.paths.through_alone(j, at, finishes, tails), deadline)
                is_faster = saved > span * _TOLERANCE
                dearer = np.maximum(costs - costs[at[j]], 0.0)
                rates = np.divide(dearer, saved, out=np.full(len(column), np.inf), where=is_faster)
                pick = int(rates.argmin())
                moves.append((float(rates[pick]), j, pick))
            rate, j, pick = min(moves, default=(math.inf, 0, 0))
            if rate == math.inf:
                return None
            at[j] = pick
        return None

    def _beside(self, j: int, at: Sequence[int], *, usd: float, grams: float) -> Floats:
        """Return what each label of a job costs beside the others' labels."""
        own_usd, own_grams = self._figures_beside(j, at)
        return usd * own_usd + grams * own_grams

    def _weighed(
        self, j: int, at: Sequence[int], figures: Figures, *, usd: float, grams: float
    ) -> "tuple[Floats, np.typing.NDArray[np.bool_]]":
        """Return what each label of a job costs beside the others' labels, and whether limits are kept or come nearer."""
        own_usd, own_grams = self._figures_beside(j, at)
        is_allowed = np.ones(len(own_usd), dtype=bool)
        for own, known, limit in (
            (own_usd, figures.usd, self.limits.usd),
            (own_grams, figures.grams, self.limits.grams),
        ):
            if limit is not None:  # where it is missed, what comes nearer is a step as well
                is_allowed &= own - own[at[j]] <= max(0.0, limit - known)
        return usd * own_usd + grams * own_grams, is_allowed

    def _figures_beside(self, j: int, at: Sequence[int]) -> tuple[Floats, Floats]:
        """Return the dollars and grams of each label of a job, with what moves to and from the others' labels."""
        column = self.network.columns[j]
        own_usd, own_grams = column.usd.copy(), column.grams.copy()
        for e in self.paths.out[j]:
            if gigabytes := self.network.gigabytes[e]:
                v = self.network.ends[e][1]
                there = self.network.columns[v].place[at[v]]
                own_usd += gigabytes * self.network.usd_per_gb[column.place, there]
                own_grams += gigabytes * self.network.grams_per_gb[column.place, there]
        for e in self.paths.into[j]:
            if gigabytes := self.network.gigabytes[e]:
                u = self.network.ends[e][0]
                there = self.network.columns[u].place[at[u]]
                own_usd += gigabytes * self.network.usd_per_gb[there, column.place]
                own_grams += gigabytes * self.network.grams_per_gb[there, column.place]
        return own_usd, own_grams

    def anew(self, at: Sequence[int], *, deadline: float, usd: float, grams: float) -> list[int]:
        """Choose all labels anew twice, when the time that jobs have to spare is shared out in two ways."""
        for share in _SHARES:
            at = self.replanned(at, share=share, deadline=deadline, usd=usd, grams=grams)
        return list(at)

    def replanned(self, at: Sequence[int], *, share: float, deadline: float, usd: float, grams: float) -> list[int]:
        """Choose all labels anew, when each job has to end between its earliest and its latest time, at a share of it."""
        columns = self.network.columns
        if sum(len(columns[u]) * len(columns[v]) for u, v in self.network.ends) > _CELLS:
            return list(at)
        finishes, tails = self.paths.finishes(at), self.paths.tails(at)
        ends = [f + share * max(0.0, deadline - t - f) for f, t in zip(finishes, tails, strict=True)]
        highest = sum(float((usd * c.usd + grams * c.grams).max()) for c in columns)
        out_of_question = 10.0 * highest + 1.0
        unary = []
        for j, column in enumerate(columns):
            costs = usd * column.usd + grams * column.grams
            is_late = column.seconds > ends[j] * (1 + _TOLERANCE)
            unary.append(np.where(is_late, out_of_question, costs) if not self.paths.into[j] else costs)
        tables = []
        per_gb = usd * self.network.usd_per_gb + grams * self.network.grams_per_gb
        for (u, v), gigabytes in zip(self.network.ends, self.network.gigabytes, strict=True):
            pairs = np.ix_(columns[u].place, columns[v].place)
            took = gigabytes * self.network.seconds_per_gb[pairs] + columns[v].seconds
            table = gigabytes * per_gb[pairs]
            tables.append(np.where(took <= (ends[v] - ends[u]) * (1 + _TOLERANCE), table, out_of_question))
        model = Pairwise(unary, self.network.ends, tables, [1.0] * len(tables), known=at)
        return list(model.solve(is_late=self.is_late, sweeps=_SWEEPS).labels)
