"""The few labels of each job that prices like best.

A label with which a choice costs much more than the least, under prices that have settled, is hardly ever part of a good
plan. So what asks much of each label looks at a few alone (the core of a problem; Balas and Zemel, "An Algorithm for Large
Zero-One Knapsack Problems", 1980). It finds plans, and proves nothing.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections.abc import Sequence

import numpy as np

from skyflow.planner.bounds.network import Network
from skyflow.planner.bounds.pairwise import Floats

__all__ = ["likely"]

_COUNT = 40
"""How many labels a job keeps on average."""


def likely(network: Network, dearer: Sequence[Floats], plan: Sequence[int]) -> Network:
    """Return a network with those labels alone that are likely, by how much more than the least a choice with each costs.

    The labels of a plan stay.
    """
    every = np.concatenate(dearer)
    last = min(_COUNT * len(dearer), len(every)) - 1
    most = np.partition(every, last)[last]
    return network.without(lambda j: np.union1d(np.flatnonzero(dearer[j] <= most), [plan[j]]).astype(np.int64))
