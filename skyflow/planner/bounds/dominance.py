"""Which candidates some other one of the job always beats, wherever its neighbours run.

Candidate k' at place b' beats k at b if it is not dearer, even with what the move from b to b' adds at most to the price
of all data that comes and goes, and not later, even with what the move adds at most to the way of the longest of either:

    usd[k'] + G_in * max_a (P[a,b'] - P[a,b]) + G_out * max_a (P[b',a] - P[b,a]) <= usd[k]

with G the gigabytes of all edges, for whatever adds up; and with g, the most gigabytes of one edge, for seconds, because a
path takes one edge into a job and one out of it. In any plan k can then be exchanged for k'. That is dead-end elimination
(Desmet, De Maeyer, Hazes and Lasters 1992) with a bound that looks at tables only.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skyflow.model.objective import Goal
from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.pairwise import Floats, Ints, Truths
from skyflow.planner.problem import Limits

__all__ = ["undominated"]

_CROWD = 1500
"""Candidates of one job up to which all pairs of them are compared."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """Something that counts: a dollar's, a gram's and a second's share of it; and what a move adds at most per gigabyte.

    `come` and `go` say, by the place before and the place after, what is added for data that comes, and for data that goes.
    """

    usd: float
    grams: float
    seconds: float
    come: Floats
    go: Floats

    @classmethod
    def of(cls, network: Network, *, usd: float = 0.0, grams: float = 0.0, seconds: float = 0.0) -> "_Figure":
        per_gb = usd * network.usd_per_gb + grams * network.grams_per_gb + seconds * network.seconds_per_gb
        used = np.unique(np.concatenate([columns.place for columns in network.columns]))
        return cls(usd, grams, seconds, _most_added(per_gb[used]), _most_added(per_gb.T[used]))

    def is_no_more(self, columns: Columns, came: float, went: float) -> Truths:
        """Tell for each pair of candidates whether what counts is no more with the second, after the move."""
        own = self.usd * columns.usd + self.grams * columns.grams + self.seconds * columns.seconds
        at = np.ix_(columns.place, columns.place)
        no_more: Truths = own[None, :] + came * self.come[at] + went * self.go[at] <= own[:, None]
        return no_more


def _most_added(per_gb: Floats) -> Floats:
    """Return, for each two destinations, by how much the price of the second is above that of the first at most, if it is.

    What a move saves is not counted: a path may well not take the edge that saves most.
    """
    return np.array([np.maximum(per_gb - per_gb[:, [b]], 0.0).max(axis=0) for b in range(per_gb.shape[1])])


def undominated(network: Network, goal: Goal, limits: Limits, *, is_late: Callable[[], bool]) -> Network:
    """Return a network without the candidates that another one always beats; of equals the first stays.

    It looks at a job by itself: not for problems in which something is scarce at one time, handed on, or dearer at some hours.
    Jobs that it has not come to when it is late keep all candidates.
    """
    adding, timed = _figures(network, goal, limits)
    came: list[list[float]] = [[] for _ in network.columns]
    went: list[list[float]] = [[] for _ in network.columns]
    for (u, v), gigabytes in zip(network.ends, network.gigabytes, strict=True):
        went[u].append(gigabytes)
        came[v].append(gigabytes)

    def kept(j: int) -> Ints:
        columns = network.columns[j]
        if len(columns) > _CROWD or is_late():
            return np.arange(len(columns))
        beaten = ~np.eye(len(columns), dtype=np.bool_)
        for figure in adding:
            beaten &= figure.is_no_more(columns, sum(came[j]), sum(went[j]))
        for figure in timed:
            beaten &= figure.is_no_more(columns, max(came[j], default=0.0), max(went[j], default=0.0))
        beaten &= ~(beaten.T & np.tri(len(columns), dtype=np.bool_).T)  # of two that beat each other
        return np.flatnonzero(~beaten.any(axis=1))

    return network.without(kept)


def _figures(network: Network, goal: Goal, limits: Limits) -> tuple[list[_Figure], list[_Figure]]:
    """Return what counts and adds up over jobs and edges, and what adds up along paths."""
    adding = []
    if limits.usd is None and limits.grams is None:
        adding += [_Figure.of(network, usd=goal.usd, grams=goal.grams)] if goal.usd or goal.grams else []
    else:
        adding += [_Figure.of(network, usd=1.0)] if goal.usd or limits.usd is not None else []
        adding += [_Figure.of(network, grams=1.0)] if goal.grams or limits.grams is not None else []
    timed = [_Figure.of(network, seconds=1.0)] if goal.seconds or limits.seconds is not None else []
    return adding, timed
