"""A placement problem as arrays, without the candidates that no best plan can use.

A transfer depends on places alone. So where only a sum over jobs and edges matters, one candidate of each job and place
is enough: the best. Where two or three figures matter, those are kept that no other candidate of the place beats in all
of them. Both are exact, ties included: among equals the first in the stable order stays.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.crossing import alike
from skyflow.planner.bounds.pairwise import Floats, Ints, Pairwise
from skyflow.planner.bounds.paths import Paths
from skyflow.planner.problem import Candidates, Choice, Limits, PlacementProblem, Table

__all__ = ["Columns", "Network", "Spots", "reduced", "tied"]

_EQUAL = 1e-9
"""Values that differ by a smaller share count as equal."""
_BITS = 2.0**40
_CROWD = 1500
"""Candidates of one job up to which all pairs of them are compared at once."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The candidates that a job keeps; `index` counts among all of its candidates."""

    index: Ints
    place: Ints
    usd: Floats
    seconds: Floats
    grams: Floats

    @classmethod
    def of(cls, candidates: Candidates) -> "Columns":
        """Return all candidates of a job, without copying a figure."""
        return cls(
            np.arange(len(candidates)),
            np.frombuffer(candidates.place, dtype=np.int64),
            np.frombuffer(candidates.usd),
            np.frombuffer(candidates.seconds),
            np.frombuffer(candidates.grams),
        )

    @classmethod
    def picked(cls, candidates: Candidates, kept: Sequence[int]) -> "Columns":
        """Return some candidates of a job."""
        return cls.of(candidates).only(np.array(kept, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.index)

    def by_place(self) -> "Spots":
        """Return where the candidates stand among their places."""
        places, spots = np.unique(self.place, return_inverse=True)
        return Spots(places, spots.astype(np.int64))

    def only(self, kept: Ints) -> "Columns":
        """Return some of them."""
        return Columns(self.index[kept], self.place[kept], self.usd[kept], self.seconds[kept], self.grams[kept])

    def best_per_place(self, *keys: Floats) -> "Columns":
        """Keep of each place the candidate that is least by the first key, among equals by the next, then the first."""
        order = np.lexsort((self.index, *map(_rounded, reversed(keys)), self.place))
        _, first = np.unique(self.place[order], return_index=True)
        return self.only(np.sort(order[first]))

    def fronts_per_place(self, *figures: Floats) -> "Columns":
        """Keep of each place the candidates that no other one beats or equals in all figures."""
        order = np.lexsort((self.index, *reversed(figures), self.place))
        sorted_figures = [figure[order] for figure in figures]
        place = self.place[order]
        if len(figures) > 2 and len(order) <= _CROWD:  # noqa: PLR2004 -- two figures have a shorter way
            return self.only(np.sort(order[_undominated(place, sorted_figures)]))
        if len(figures) > 2:  # noqa: PLR2004
            starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
            groups = np.split(np.arange(len(order)), starts[1:])
            kept = [g[_undominated(place[g], [figure[g] for figure in sorted_figures])] for g in groups]
            return self.only(np.sort(order[np.concatenate(kept)]))
        # sorted by the first figure, a candidate stays when it has the least of the second so far; ranks instead of
        # figures let every place start below the one before, so that one running minimum serves all of them
        ranks = np.unique(sorted_figures[-1], return_inverse=True)[1].astype(np.int64)
        ranks -= np.unique(place, return_inverse=True)[1].astype(np.int64) * (len(order) + 1)
        least = np.minimum.accumulate(ranks)
        return self.only(np.sort(order[np.r_[True, ranks[1:] < least[:-1]]]))


@dataclass(frozen=True, slots=True)
class Spots:
    """The distinct places of some candidates, ascending, and for each candidate where its own stands among them."""

    places: Ints
    of: Ints


def _rounded(figures: Floats) -> Floats:
    """Return figures without their last bits, so that what is the same but for rounding is equal."""
    mantissas, exponents = np.frexp(figures)
    return np.ldexp(np.rint(mantissas * _BITS), exponents)


def _undominated(place: Ints, figures: Sequence[Floats]) -> Ints:
    """Return which rows no earlier row of the same place beats or equals in all figures."""
    beaten = place[:, None] == place[None, :]
    for figure in figures:
        beaten &= figure[:, None] <= figure[None, :]
    return np.flatnonzero(~np.triu(beaten, 1).any(axis=0))


def reduced(problem: PlacementProblem, goal: Goal) -> list[Columns]:
    """Keep, of each job, the candidates that a best plan within the limits can use.

    A plan with several limits may need more than the best in each figure; so every figure that is in the goal or has a
    limit counts for itself, except that what only adds up to the goal is one figure. Where time counts, so does what a
    candidate takes up of something scarce.
    """
    known: dict[tuple[int, ...], Columns] = {}  # jobs that are alike share their candidates
    kept = []
    takes_time = bool(goal.seconds) or problem.limits.seconds is not None
    for job, candidates in enumerate(problem.candidates):
        uses = [capacity.uses[job] for capacity in problem.capacities if takes_time]
        key = (id(candidates), *map(id, uses))
        if key not in known:
            known[key] = _reduced(Columns.of(candidates), [np.frombuffer(use) for use in uses if use], problem, goal)
        kept.append(known[key])
    return kept


def _reduced(columns: Columns, uses: Sequence[Floats], problem: PlacementProblem, goal: Goal) -> Columns:
    limits = problem.limits
    figures = [use for use in uses if _differs_at_a_place(columns, use)]
    if limits.usd is None and limits.grams is None:
        if goal.usd or goal.grams:
            figures.append(goal.usd * columns.usd + goal.grams * columns.grams)
    else:
        figures += [columns.usd] if goal.usd or limits.usd is not None else []
        figures += [columns.grams] if goal.grams or limits.grams is not None else []
    if goal.seconds or limits.seconds is not None:
        figures.append(columns.seconds)
    if len(figures) == 1:
        return columns.best_per_place(figures[0], columns.usd, columns.seconds, columns.grams)
    return columns.fronts_per_place(*figures)


def _differs_at_a_place(columns: Columns, figure: Floats) -> bool:
    _, first, spots = np.unique(columns.place, return_index=True, return_inverse=True)
    return bool((figure != figure[first][spots]).any())


class Network:
    """The jobs with the candidates they keep, the edges and their tables."""

    def __init__(self, problem: PlacementProblem, columns: Sequence[Columns]) -> None:
        self.problem = problem
        self.columns = list(columns)
        self.ends = [(edge.source, edge.target) for edge in problem.edges]
        self.gigabytes = [edge.gigabytes for edge in problem.edges]
        self.usd_per_gb = _array(problem.usd_per_gb)
        self.seconds_per_gb = _array(problem.seconds_per_gb)
        self.grams_per_gb = _array(problem.grams_per_gb)
        self._voices: dict[tuple[bool, bool], Ints] = {}

    @cached_property
    def spots(self) -> list[Spots]:
        """The places of each job."""
        known: dict[int, Spots] = {}
        return [known.setdefault(id(columns), columns.by_place()) for columns in self.columns]

    def voices(self, *, usd: bool, grams: bool) -> Ints:
        """Return which places are alike in how long data takes, and in dollars and grams where these count."""
        if (usd, grams) not in self._voices:
            tables = [self.seconds_per_gb]
            tables += [self.usd_per_gb] if usd else []
            tables += [self.grams_per_gb] if grams else []
            self._voices[usd, grams] = alike(tables)
        return self._voices[usd, grams]

    def choice(self, at: Iterable[int]) -> Choice:
        """Return labels as indices among all candidates."""
        return tuple(int(columns.index[a]) for columns, a in zip(self.columns, at, strict=True))

    def labels(self, choice: Choice) -> list[int] | None:
        """Return a choice as labels; None where one of its candidates is not kept."""
        at = [int(np.searchsorted(columns.index, k)) for columns, k in zip(self.columns, choice, strict=True)]
        is_kept = all(
            a < len(columns) and columns.index[a] == k for a, columns, k in zip(at, self.columns, choice, strict=True)
        )
        return at if is_kept else None

    def nearest(self, choice: Choice) -> list[int]:
        """Return labels at the places of a choice where they are kept, else each job's first label."""
        at = []
        for columns, candidates, k in zip(self.columns, self.problem.candidates, choice, strict=True):
            same = np.flatnonzero(columns.index == k)
            there = same if len(same) else np.flatnonzero(columns.place == candidates.place[k])
            at.append(int(there[0]) if len(there) else 0)
        return at

    def tables(self, per_gb: Floats) -> list[Floats]:
        """Return a figure per gigabyte for every pair of places of each edge; alike edges share one array."""
        return _pairs(per_gb, [spots.places for spots in self.spots], self.ends)

    def additive(self, *, usd: float, grams: float, known: Sequence[int] | None = None) -> Pairwise:
        """Return the model of a cost that adds up; `known` are labels to begin with."""
        moving = [e for e, gigabytes in enumerate(self.gigabytes) if gigabytes]
        per_gb = usd * self.usd_per_gb + grams * self.grams_per_gb
        return Pairwise(
            [usd * columns.usd + grams * columns.grams for columns in self.columns],
            [self.ends[e] for e in moving],
            _pairs(per_gb, [columns.place for columns in self.columns], [self.ends[e] for e in moving]),
            [self.gigabytes[e] for e in moving],
            known,
        )

    def paths(self, *, usd: float = 1.0, grams: float = 0.0) -> Paths:
        """Return the model of the makespan; dollars and grams decide between labels that are as good in time."""
        return Paths(
            [columns.seconds for columns in self.columns],
            self.ends,
            self.tables(self.seconds_per_gb),
            self.gigabytes,
            spots=[spots.of for spots in self.spots],
            costs=[usd * columns.usd + grams * columns.grams for columns in self.columns],
        )

    def without(self, hopeless: Callable[[int], Ints]) -> "Network":
        """Return the network with only some labels of each job."""
        known: dict[tuple[int, bytes], Columns] = {}
        kept = []
        for j, columns in enumerate(self.columns):
            labels = hopeless(j)
            key = (id(columns), labels.tobytes())
            if key not in known:
                known[key] = columns if len(labels) == len(columns) else columns.only(labels)
            kept.append(known[key])
        smaller = copy(self)
        smaller.columns = kept
        vars(smaller).pop("spots", None)
        return smaller


def _pairs(per_gb: Floats, places: Sequence[Ints], ends: Sequence[tuple[int, int]]) -> list[Floats]:
    names = [there.tobytes() for there in places]
    known: dict[tuple[bytes, bytes], Floats] = {}
    found = []
    for u, v in ends:
        key = (names[u], names[v])
        if key not in known:
            known[key] = per_gb[np.ix_(places[u], places[v])]
        found.append(known[key])
    return found


def _array(table: Table) -> Floats:
    return np.array(table, dtype=np.float64)


def tied(problem: PlacementProblem, goal: Goal, value: float) -> list[list[int]]:
    """Return, per job, the candidates with which a plan may still reach a proven best value."""
    free = problem.limited_by(Limits())
    if goal.seconds:
        both = Goal(objective=goal.objective, usd=goal.usd or 1.0, grams=goal.grams, seconds=goal.seconds)
        network = Network(free, reduced(free, both))
        if goal.usd or goal.grams:  # no bound of a single label is at hand that counts both
            return [columns.index.tolist() for columns in network.columns]
        bounds = network.paths().bounds()
        kept = [np.flatnonzero(bounds.through(j) <= value * (1 + _EQUAL)) for j in range(len(network.columns))]
    else:
        network = Network(free, reduced(free, goal))
        kept = network.additive(usd=goal.usd, grams=goal.grams).tied(value, share=_EQUAL)
    return [columns.index[labels].tolist() for columns, labels in zip(network.columns, kept, strict=True)]
