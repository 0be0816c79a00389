"""How fast plans are proven: `python tests/bench/planner/run.py [--strict] [--reference FOLDER]`.

Each figure is the CPU time of planning in this process, beside a loop of numpy that runs in turn, so that figures of
different machines can be compared. `--reference` adds every instance of a folder in the format `skyflow-bench/1`, with the
known optima in its `reference.json`.
"""

import argparse
import gzip
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from instances import instance

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bare import read_problem
from skyflow.planner.bounds import tradeoff  # noqa: F401 -- loading modules is not planning
from skyflow.planner.decide import Decision, decide
from skyflow.planner.problem import Candidates, Choice, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate

SECONDS = 10.0
OVER = 1.05 * SECONDS
"""What the time limit is allowed to be missed by: a pass that has begun is ended."""
GOALS = {"cost": Goal.of(Objective.COST), "time": Goal.of(Objective.MAKESPAN)}


def yardstick() -> float:
    """Return how long a fixed piece of work takes here and now: 4,000 messages of 112 labels."""
    table, message = np.ones((112, 112)), np.ones(112)
    started = time.process_time()
    for _ in range(4000):
        (table + message).min(axis=1)
    return time.process_time() - started


def timed(problem: PlacementProblem, goal: Goal, start: Choice | None = None) -> tuple[float, Decision]:
    started = time.process_time()
    found = decide(problem, goal, seconds_left=lambda: SECONDS - (time.process_time() - started), start=start)
    assert isinstance(found, Decision)
    return time.process_time() - started, found


def show(name: str, seconds: float, found: Decision, limit: float, *, gap: float = 0.0) -> bool:
    is_met = seconds <= limit and found.value - found.bound <= gap * found.value + 1e-6 * abs(found.value)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    left = max(0.0, 1 - found.bound / found.value) if found.value else 0.0
    print(
        f"| {name} | {seconds:.2f} s | {seconds / yardstick():.1f} x | {left:.2%} | {peak} MB | {limit} s |"
        f" {'met' if is_met else 'missed'} |",
        flush=True,
    )
    return is_met


def of_a_hundred(rounds: int) -> Iterator[bool]:
    for shape in ("chain", "random", "layered"):
        for candidates, limit in ((50, 0.25), (200, 0.4)):
            for name, goal in GOALS.items():
                runs = [timed(read_problem(instance(shape, 100, candidates, seed=s)), goal) for s in range(rounds)]
                middle = median(seconds for seconds, _ in runs)
                worst = max(runs, key=lambda run: run[0])
                yield show(f"{shape} 100 x {candidates}, {name}, median of {rounds}", middle, worst[1], limit)
                yield show(f"{shape} 100 x {candidates}, {name}, worst of {rounds}", *worst, limit)


def of_a_whole_catalog(_: int) -> Iterator[bool]:
    for jobs, limit in ((100, 2.0), (1000, 10.0)):
        for shape in ("layered", "random"):
            problem = read_problem(instance(shape, jobs, 1000, seed=1, zones=4))
            for name, goal in GOALS.items():
                yield show(f"{shape} {jobs} x 1000, {name}", *timed(problem, goal), limit)


def with_limits(_: int) -> Iterator[bool]:
    for candidates in (50, 200):
        for shape in ("chain", "layered", "random"):
            problem = read_problem(instance(shape, 100, candidates, seed=1))
            cheap, fast = (timed(problem, goal)[1] for goal in GOALS.values())
            slow, dear = evaluate(problem, cheap.choice).makespan_seconds, evaluate(problem, fast.choice).usd
            deadline = problem.limited_by(Limits(seconds=(fast.value + slow) / 2))
            budget = problem.limited_by(Limits(usd=cheap.value + 0.15 * (dear - cheap.value)))
            name = f"{shape} 100 x {candidates}"
            yield show(f"{name}, cost, deadline", *timed(deadline, GOALS["cost"]), OVER, gap=0.01)
            yield show(f"{name}, time, budget", *timed(budget, GOALS["time"]), OVER, gap=0.01)


def after_a_loss(_: int) -> Iterator[bool]:
    """Half of the jobs have run where they were planned; a later one loses its offering."""
    problem = read_problem(instance("layered", 1000, 1000, seed=1, zones=4))
    for name, goal in GOALS.items():
        first, plan = timed(problem, goal)
        candidates, start, lost = list(problem.candidates), list(plan.choice), 700
        for job in range(500):
            candidates[job] = Candidates.of([(candidates[job].place[start[job]], 0.0, 0.0, 0.0)])
            start[job] = 0
        candidates[lost] = candidates[lost].only([k for k in range(len(candidates[lost])) if k != start[lost]])
        start[lost] = 0
        rest = replace(problem, candidates=tuple(candidates))
        yield show(f"layered 1000 x 1000, {name}, after a loss", *timed(rest, goal, tuple(start)), round(first / 5, 3))


def of_references(folder: Path) -> Iterator[bool]:
    known = json.loads((folder / "reference.json").read_text())
    for path in sorted(folder.glob("*.json.gz")):
        data = json.loads(gzip.decompress(path.read_bytes()))
        for name, goal in GOALS.items():
            seconds, found = timed(read_problem(data), goal)
            optimum = known.get(data["name"], {}).get(name, {}).get("optimum")
            if optimum is not None and abs(found.value - optimum) > 1e-6 * max(1.0, optimum):
                print(f"| {data['name']}, {name}: {found.value} is not the known optimum {optimum} |")
                yield False
            yield show(f"{data['name']}, {name}", seconds, found, 0.25 if data["k"] <= 50 else 0.4)


PARTS: dict[str, Callable[[int], Iterator[bool]]] = {
    "hundred": of_a_hundred,
    "catalog": of_a_whole_catalog,
    "limits": with_limits,
    "loss": after_a_loss,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast plans are proven.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=PARTS, help="only this")
    parser.add_argument("--reference", type=Path, help="a folder of instances with known optima")
    parser.add_argument("--strict", action="store_true", help="fail when a figure misses its target")
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} CPUs\n")
    print("| what | CPU time | of a yardstick | gap | peak memory | target | |\n|---|---|---|---|---|---|---|")
    met = []
    if options.reference:
        met += of_references(options.reference)
    else:
        for name, part in PARTS.items():
            if options.part in {None, name}:
                met += part(options.rounds)
    raise SystemExit(1 if options.strict and not all(met) else 0)


if __name__ == "__main__":
    main()
