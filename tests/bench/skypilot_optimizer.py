"""Runs in SkyPilot's own environment: its optimizer on a bare placement problem, `python skypilot_optimizer.py FILE cost|time`.

The two functions that decide (dynamic programming for chains, else its ILP with CBC) are called as its `optimize` calls them,
with the problem's own figures for candidates and transfers in place of its catalog's. Prints JSON: the objective, and the
processor seconds of deciding, CBC's among them.
"""

import gzip
import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx
from sky.optimizer import Optimizer


@dataclass(eq=False)
class Task:
    """What the optimizer asks of a task."""

    name: str
    resources: list[Any]
    best_resources: Any = None


@dataclass(frozen=True)
class Candidate:
    """What it asks of resources: to be told apart."""

    job: int
    index: int
    place: int


def decided(problem: dict[str, Any], *, by_cost: bool) -> float:
    """Return the objective of SkyPilot's choice."""
    price, speed = problem["egress_usd_per_gb"], problem["bandwidth_gbps"]
    gigabytes = {(u, v): gb for u, v, gb in problem["edges"]}
    jobs: list[Task] = []
    costs: dict[Task, dict[Candidate, float]] = {}
    for number, task in enumerate(problem["tasks"]):
        rows = [Candidate(number, index, row[0]) for index, row in enumerate(task["candidates"])]
        jobs.append(Task(f"t{number}", rows))
        costs[jobs[-1]] = {one: task["candidates"][one.index][4 if by_cost else 2] for one in rows}
    source, sink = (Task(name, [Candidate(-1, 0, -1)]) for name in ("skypilot-dummy-source", "skypilot-dummy-sink"))
    costs[source], costs[sink] = {source.resources[0]: 0.0}, {sink.resources[0]: 0.0}

    def egress(_: bool, parent: Task, there: Candidate, node: Task, here: Candidate) -> float:
        moved = gigabytes.get((there.job, here.job), 0.0)
        if there.place in {-1, here.place} or here.place == -1 or not moved:
            return 0.0
        return moved * price[there.place][here.place] if by_cost else moved * 8 / speed[there.place][here.place]

    Optimizer._egress_cost_or_time = staticmethod(egress)
    graph = nx.DiGraph()
    graph.add_nodes_from([source, *jobs, sink])
    graph.add_edges_from((jobs[u], jobs[v]) for u, v in gigabytes)
    graph.add_edges_from((source, job) for job in jobs if not graph.in_degree(job))
    graph.add_edges_from((job, sink) for job in jobs if not graph.out_degree(job))
    order = [source, *jobs, sink]
    if problem["shape"] == "chain":
        return float(Optimizer._optimize_by_dp(order, costs, by_cost)[1])
    return float(Optimizer._optimize_by_ilp(graph, order, costs, by_cost)[1])


def processor_seconds() -> float:
    """Return what this process and those it has waited for have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    read = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    began = processor_seconds()
    value = decided(read, by_cost=sys.argv[2] == "cost")
    print(json.dumps({"objective": value, "seconds": processor_seconds() - began}))
