"""A placement problem without a workflow: the format `skyflow-bench/1`.

The keys are: `regions`, a list whose indices are places; `egress_usd_per_gb[a][b]`; `bandwidth_gbps[a][b]`, where a
transfer takes GB * 8 / Gbps seconds, and none within a place; `tasks[i].candidates[k]`, each a list of place, machine
kind, seconds, dollars per hour and dollars; `edges[e]`, each a list of two tasks and the gigabytes that the second one
reads of what the first one wrote. An edge goes from a lower to a higher index. Machines are unlimited.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from skyflow.errors import UsageError
from skyflow.planner.problem import Candidates, Edge, PlacementProblem, Table

__all__ = ["BARE_FORMAT", "read_problem"]

BARE_FORMAT = "skyflow-bench/1"
_BITS_PER_BYTE = 8


def read_problem(data: object) -> PlacementProblem:
    """Return the problem that a parsed file states; emissions are not known, hence 0.

    Raises:
        UsageError: this is not such a problem; the message says where it is not.
    """
    if not isinstance(data, Mapping) or data.get("format") != BARE_FORMAT:
        found = data.get("format") if isinstance(data, Mapping) else None
        raise UsageError(f"not a placement problem: its format is {found!r}, this skyflow reads {BARE_FORMAT!r}")
    for key in ("regions", "egress_usd_per_gb", "bandwidth_gbps", "tasks", "edges"):
        if not isinstance(data.get(key), list):
            raise UsageError(f"not a placement problem: '{key}' is not a list")
    count = len(data["regions"])
    speeds = _table(data["bandwidth_gbps"], count, "bandwidth_gbps")
    if any(speed <= 0 for a, row in enumerate(speeds) for b, speed in enumerate(row) if a != b):
        raise UsageError("not a placement problem: a bandwidth is not above 0")
    return PlacementProblem(
        jobs=tuple(str(task) for task in range(len(data["tasks"]))),
        candidates=tuple(_candidates(task, count, f"tasks[{i}]") for i, task in enumerate(data["tasks"])),
        edges=tuple(_edge(e, edge, len(data["tasks"])) for e, edge in enumerate(data["edges"])),
        usd_per_gb=_table(data["egress_usd_per_gb"], count, "egress_usd_per_gb"),
        seconds_per_gb=tuple(
            tuple(0.0 if a == b else _BITS_PER_BYTE / speed for b, speed in enumerate(row))
            for a, row in enumerate(speeds)
        ),
        grams_per_gb=((0.0,) * count,) * count,
    )


def _table(rows: Sequence[Any], count: int, name: str) -> Table:
    try:
        table = tuple(tuple(map(float, row)) for row in rows)
    except (TypeError, ValueError) as error:
        raise UsageError(f"not a placement problem: '{name}' holds something that is not a number") from error
    if [len(row) for row in table] != [count] * count:
        raise UsageError(f"not a placement problem: '{name}' does not have {count} rows and columns, as regions do")
    if not all(0 <= value < math.inf for row in table for value in row):
        raise UsageError(f"not a placement problem: '{name}' holds a number below 0, or none")
    return table


def _candidates(task: Any, count: int, where: str) -> Candidates:
    try:
        candidates = Candidates.of((place, seconds, usd, 0.0) for place, _, seconds, _, usd in task["candidates"])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"not a placement problem: {where}.candidates is no list of [place, kind, seconds, dollars per hour, dollars]"
        ) from error
    if not len(candidates):
        raise UsageError(f"{where} has no candidate, so there is no plan")
    if not (min(candidates.place) >= 0 and max(candidates.place) < count):
        raise UsageError(f"not a placement problem: a place of {where} is not among the {count} regions")
    figures = (*candidates.seconds, *candidates.usd)
    if not all(0 <= value < math.inf for value in figures):
        raise UsageError(f"not a placement problem: a figure of {where} is below 0, or not a number")
    return candidates


def _edge(position: int, edge: Any, count: int) -> Edge:
    match edge:
        case [int(u), int(v), int() | float() as gigabytes] if 0 <= u < v < count and 0 <= gigabytes < math.inf:
            return Edge(position, u, v, float(gigabytes))
        case _:
            raise UsageError(
                f"not a placement problem: edges[{position}] is not [task, later task, gigabytes]: {edge!r}"
            )
