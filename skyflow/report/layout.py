"""Layered layout of a graph, after Sugiyama: columns by longest path, order by the mean of neighbours, positions by least squares.

Pure and free of units: whoever draws says how far an item reaches above and below its line, and gets the line of each.
What leads over several columns passes through items of its own, which edges of one source share. Where several sources
all lead to the same several targets, one joint stands between them, so that n times m edges become n plus m.
"""

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Layout", "TooLargeError", "layered"]

_SWEEPS = 8
_MOST_ITEMS = 20_000
_STRAIGHTNESS = 4.0
"""How much more the position of a passing line counts than that of a node: lines that are straight are easy to follow."""


class TooLargeError(ValueError):
    """The graph is too large to be drawn."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes.

    `columns` has the items of every column from top to bottom: nodes, and what lines pass through. `lines` is the vertical
    position of each item; `segments` connect items of neighbouring columns.
    """

    columns: tuple[tuple[str, ...], ...]
    lines: Mapping[str, float]
    segments: tuple[tuple[str, str], ...]


def layered(
    reach: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    gap: float,
    passing: float = 0.0,
    whole: bool = False,
) -> Layout:
    """Place the nodes of a graph without cycles.

    Args:
        reach: for each node, how far it reaches above and below its line; the order breaks ties.
        edges: source and target of each.
        gap: what stays free between two items of a column.
        passing: how far a passing line reaches to either side.
        whole: whether lines have to be whole numbers, as on a terminal.

    Raises:
        TooLargeError: there would be too many items.
    """
    joined = _with_joints(edges)
    column = _columns(reach, joined)
    items, segments = _with_passages(reach, joined, column)
    reaches = {item: reach.get(item, (passing, passing)) for item in items}
    neighbours = _Neighbours(items, segments)
    columns = _ordered(items, neighbours)
    lines = _positions(columns, neighbours, reaches, nodes=reach.keys(), gap=gap)
    if whole:
        lines = _whole(columns, lines, reaches, gap)
    top = min((lines[item] - reaches[item][0] for item in items), default=0.0)
    return Layout(
        columns=tuple(map(tuple, columns)),
        lines={item: line - top for item, line in lines.items()},
        segments=tuple(segments),
    )


class _Neighbours:
    """Who is connected with whom, to the left and to the right."""

    def __init__(self, items: Mapping[str, int], segments: Sequence[tuple[str, str]]) -> None:
        self.left: dict[str, list[str]] = {item: [] for item in items}
        self.right: dict[str, list[str]] = {item: [] for item in items}
        for source, target in segments:
            self.right[source].append(target)
            self.left[target].append(source)


def _with_joints(edges: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    sources: dict[str, list[str]] = {}
    for source, target in edges:
        sources.setdefault(target, []).append(source)
    groups: dict[frozenset[str], list[str]] = {}
    for target, found in sources.items():
        groups.setdefault(frozenset(found), []).append(target)
    joined: list[tuple[str, str]] = []
    for targets in groups.values():
        found = sources[targets[0]]
        if len(found) > 1 and len(targets) > 1:
            joint = f"\0{targets[0]}"
            joined += [(source, joint) for source in found]
            joined += [(joint, target) for target in targets]
        else:
            joined += [(source, target) for target in targets for source in sources[target]]
    return joined


def _columns(nodes: Mapping[str, object], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each item: the length of the longest path to it."""
    targets: dict[str, list[str]] = {node: [] for node in nodes}
    open_sources: dict[str, int] = dict.fromkeys(nodes, 0)
    for source, target in edges:
        targets.setdefault(source, []).append(target)
        targets.setdefault(target, [])
        open_sources[target] = open_sources.get(target, 0) + 1
        open_sources.setdefault(source, 0)
    column = {item: 0 for item, count in open_sources.items() if count == 0}
    ready = list(column)
    for item in ready:
        for target in targets[item]:
            column[target] = max(column.get(target, 0), column[item] + 1)
            open_sources[target] -= 1
            if open_sources[target] == 0:
                ready.append(target)
    return column


def _with_passages(
    nodes: Mapping[str, object], edges: Sequence[tuple[str, str]], column: Mapping[str, int]
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the column of each item, passages included, and the segments between them."""
    items = {item: column[item] for item in (*nodes, *column)}
    segments: dict[tuple[str, str], None] = {}
    for source, target in edges:
        before = source
        for between in range(column[source] + 1, column[target]):
            passage = f"{source}\0{between}"
            items[passage] = between
            segments[before, passage] = None
            before = passage
        segments[before, target] = None
        if len(items) > _MOST_ITEMS:
            raise TooLargeError(f"more than {_MOST_ITEMS} items")
    return items, list(segments)


def _ordered(items: Mapping[str, int], neighbours: _Neighbours) -> list[list[str]]:
    """Return every column in an order with few crossings."""
    columns: list[list[str]] = [[] for _ in range(max(items.values(), default=-1) + 1)]
    for item, number in items.items():
        columns[number].append(item)
    best, fewest = [list(column) for column in columns], _crossings(columns, neighbours)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        beside = neighbours.left if forward else neighbours.right
        for index in range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1):
            rank = {item: place for place, item in enumerate(columns[index - 1 if forward else index + 1])}
            own = {item: place for place, item in enumerate(columns[index])}
            wish = {item: _mean([rank[other] for other in beside[item]], own[item]) for item in columns[index]}
            columns[index].sort(key=wish.__getitem__)
        crossings = _crossings(columns, neighbours)
        if crossings < fewest:
            best, fewest = [list(column) for column in columns], crossings
    return best


def _crossings(columns: Sequence[Sequence[str]], neighbours: _Neighbours) -> int:
    count = 0
    for column, following in pairwise(columns):
        rank = {item: place for place, item in enumerate(following)}
        seen: list[int] = []
        for item in column:
            ends = [rank[other] for other in neighbours.right[item]]
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _positions(
    columns: Sequence[Sequence[str]],
    neighbours: _Neighbours,
    reaches: Mapping[str, tuple[float, float]],
    *,
    nodes: AbstractSet[str],
    gap: float,
) -> dict[str, float]:
    """Return the line of each item: near the mean of its neighbours, and never nearer to the next one than allowed."""
    lines: dict[str, float] = {}
    for column in columns:
        line = 0.0
        for item in column:
            line += reaches[item][0]
            lines[item] = line
            line += reaches[item][1] + gap
        middle = (line - gap) / 2
        lines |= {item: lines[item] - middle for item in column}
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wishes = []
            for item in column:
                first = neighbours.left[item] if forward else neighbours.right[item]
                near = (*neighbours.left[item], *neighbours.right[item]) if sweep >= _SWEEPS - 2 else first
                wishes.append(_mean([lines[other] for other in near], lines[item]))
            weights = [1.0 if item in nodes else _STRAIGHTNESS for item in column]
            steps = [reaches[a][1] + gap + reaches[b][0] for a, b in pairwise(column)]
            lines |= dict(zip(column, _apart(wishes, weights, steps), strict=True))
    return lines


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _apart(wishes: Sequence[float], weights: Sequence[float], steps: Sequence[float]) -> list[float]:
    """Return positions nearest to the wishes, by weighted squares, in which each stands its step from the one before.

    With the steps taken off, the positions only have to rise: a regression that pools adjacent violators.
    """
    offsets = [0.0]
    for step in steps:
        offsets.append(offsets[-1] + step)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for wish, weight, offset in zip(wishes, weights, offsets, strict=False):
        mean, heavy, count = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            other, more, members = pools.pop()
            mean = (mean * heavy + other * more) / (heavy + more)
            heavy, count = heavy + more, count + members
        pools.append((mean, heavy, count))
    levels = [mean for mean, _, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=False)]


def _whole(
    columns: Sequence[Sequence[str]],
    lines: Mapping[str, float],
    reaches: Mapping[str, tuple[float, float]],
    gap: float,
) -> dict[str, float]:
    whole: dict[str, float] = {}
    for column in columns:
        least = float("-inf")
        for item in column:
            whole[item] = max(float(round(lines[item])), least + reaches[item][0])
            least = whole[item] + reaches[item][1] + gap
    return whole
