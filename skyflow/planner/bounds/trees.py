"""Trees among the nodes of a graph: nodes between which its edges form no cycle, as many as come along."""

from collections.abc import Sequence
from random import Random

__all__ = ["Tree", "induced_trees"]

Tree = list[tuple[int, int | None]]
"""Nodes with the edge to the one before each in the tree; the root comes first, and has none."""


def induced_trees(nodes: Sequence[int], near: Sequence[Sequence[tuple[int, int]]], random: Random) -> list[Tree]:
    """Return trees that no edge joins to each other or to themselves, of nodes that are taken up in random order.

    `near` has, for every node, its neighbours with the edges to them; only those among `nodes` count.
    """
    order = list(nodes)
    random.shuffle(order)
    leader: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    beside: dict[int, list[tuple[int, int]]] = {}
    for j in order:
        joined = [(k, e) for k, e in near[j] if k in leader]
        trees = [leader[k] for k, _ in joined]
        if len(set(trees)) < len(trees):  # it would close a cycle
            continue
        beside[j] = joined
        for k, e in joined:
            beside[k].append((j, e))
        members[j] = [j, *(k for tree in trees for k in members.pop(tree))]
        leader.update(dict.fromkeys(members[j], j))
    return [_rooted(tree[0], beside) for tree in members.values()]


def _rooted(root: int, beside: dict[int, list[tuple[int, int]]]) -> Tree:
    tree: Tree = [(root, None)]
    before = {root: root}
    for j, _ in tree:  # grows while it is walked
        for k, e in beside[j]:
            if k != before[j]:
                before[k] = j
                tree.append((k, e))
    return tree
