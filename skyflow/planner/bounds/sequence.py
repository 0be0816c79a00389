"""An order of the nodes of a graph in which each has about as many neighbours before it as after it."""

from collections.abc import Sequence

__all__ = ["balanced_sequence"]

_PASSES = 3


def balanced_sequence(nodes: Sequence[int], near: Sequence[Sequence[int]]) -> list[int]:
    """Order some nodes so that the sum, over them, of the neighbours on their fuller side becomes small.

    `near` lists the neighbours of every node; only those among `nodes` count. Node by node comes the one whose neighbours
    are best divided, then each moves to where it does better. Deterministic.
    """
    chosen = set(nodes)
    beside = {j: [k for k in near[j] if k in chosen] for j in nodes}
    before = dict.fromkeys(nodes, 0)
    buckets: dict[tuple[float, int], set[int]] = {}

    def key(j: int) -> tuple[float, int]:
        return abs(before[j] - len(beside[j]) / 2), -before[j]

    for j in nodes:
        buckets.setdefault(key(j), set()).add(j)
    order: list[int] = []
    placed: set[int] = set()
    while buckets:
        best = min(buckets)
        j = min(buckets[best])
        _leave(buckets, best, j)
        order.append(j)
        placed.add(j)
        for k in beside[j]:
            if k not in placed:
                _leave(buckets, key(k), k)
                before[k] += 1
                buckets.setdefault(key(k), set()).add(k)
    return _settled(order, beside)


def _leave(buckets: dict[tuple[float, int], set[int]], key: tuple[float, int], j: int) -> None:
    buckets[key].discard(j)
    if not buckets[key]:
        del buckets[key]


def _settled(order: Sequence[int], beside: dict[int, list[int]]) -> list[int]:
    """Move nodes to the middle of their neighbours where that makes the sum smaller."""
    place = {j: float(position) for position, j in enumerate(order)}

    def fuller(j: int) -> int:
        ahead = sum(place[k] > place[j] for k in beside[j])
        return max(ahead, len(beside[j]) - ahead)

    for _ in range(_PASSES):
        has_moved = False
        for j in order:
            around = sorted({place[k] for k in beside[j]})
            if len(around) < 2:  # noqa: PLR2004 -- between two neighbours
                continue
            now, old = fuller(j) + sum(map(fuller, beside[j])), place[j]
            middle = len(around) // 2
            place[j] = (around[middle - 1] + around[middle]) / 2
            if place[j] in around or fuller(j) + sum(map(fuller, beside[j])) >= now:
                place[j] = old
            else:
                has_moved = True
        if not has_moved:
            break
    return sorted(order, key=lambda j: (place[j], j))
