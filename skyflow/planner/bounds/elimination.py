"""Exact minimisation of a sum of small tables, by eliminating one variable after the other.

Bertele and Brioschi, "Nonserial Dynamic Programming", 1972. The variable that makes the smallest table goes first.
"""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

__all__ = ["eliminate"]

_Floats = NDArray[np.float64]
_Order = list[tuple[int, tuple[int, ...]]]


def eliminate(
    unary: Sequence[_Floats], ends: Sequence[tuple[int, int]], tables: Sequence[_Floats], *, cells: int
) -> list[int] | None:
    """Return the labels of least total, or None where a table would have more cells than allowed."""
    sizes = [len(costs) for costs in unary]
    order = _order(sizes, ends, cells)
    if order is None:
        return None
    factors: list[tuple[tuple[int, ...], _Floats]] = [((j,), costs) for j, costs in enumerate(unary)]
    factors += zip(ends, tables, strict=True)
    turn = {j: position for position, (j, _) in enumerate(order)}
    buckets: list[list[tuple[tuple[int, ...], _Floats]]] = [[] for _ in order]
    for scope, table in factors:
        buckets[min(turn[j] for j in scope)].append((scope, table))
    joints: list[_Floats] = []
    for (j, others), bucket in zip(order, buckets, strict=True):
        joint = _sum(bucket, (*others, j), sizes)
        joints.append(joint)
        if others:
            buckets[min(turn[k] for k in others)].append((others, joint.min(axis=-1)))
    at = [0] * len(sizes)
    for (j, others), joint in zip(reversed(order), reversed(joints), strict=True):
        at[j] = int(joint[tuple(at[k] for k in others)].argmin())
    return at


def _order(sizes: Sequence[int], ends: Sequence[tuple[int, int]], cells: int) -> _Order | None:
    """Return each variable with those that its table will have beside it."""
    near: dict[int, set[int]] = {j: set() for j in range(len(sizes))}
    for u, v in ends:
        near[u].add(v)
        near[v].add(u)
    order: _Order = []
    weight = {j: prod(sizes[k] for k in others) for j, others in near.items()}
    while near:
        j = min(near, key=lambda job: (weight[job], job))
        if weight[j] * sizes[j] > cells:
            return None
        others = near.pop(j)
        for k in others:
            near[k] |= others
            near[k] -= {j, k}
            weight[k] = prod(sizes[i] for i in near[k])
        order.append((j, tuple(sorted(others))))
    return order


def _sum(factors: Sequence[tuple[tuple[int, ...], _Floats]], scope: tuple[int, ...], sizes: Sequence[int]) -> _Floats:
    total: _Floats = np.zeros([sizes[j] for j in scope])
    for own, table in factors:
        axes = sorted(range(len(own)), key=lambda axis: scope.index(own[axis]))
        total += table.transpose(axes).reshape([sizes[j] if j in own else 1 for j in scope])
    return total
