"""How fast problems are stated and plans are proven: `python tests/bench/planner/run.py [--only PART] [--strict] [--reference FOLDER]`.

Each figure is the CPU time of planning in this process, beside a loop of numpy that runs in turn, so that figures of
different machines can be compared. `--reference` adds every instance of a folder in the format `skyflow-bench/1`, with the
known optima in its `reference.json`.
"""

import gzip
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from instances import instance
from measuring import Figure, arguments, report

from skyflow import load_workflow
from skyflow.app.planning.plan import PlanOptions, prepare_planning
from skyflow.model.objective import Goal, Objective
from skyflow.planner.bare import read_problem
from skyflow.planner.bounds import tradeoff  # noqa: F401 -- loading modules is not planning
from skyflow.planner.decide import Decision, decide
from skyflow.planner.problem import Candidates, Choice, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate

SECONDS = 10.0
MEMORY_MB = 600
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


def show(name: str, seconds: float, found: Decision, limit: float, *, gap: float = 0.0) -> Figure:
    is_met = seconds <= limit and found.value - found.bound <= gap * found.value + 1e-6 * abs(found.value)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    is_met = is_met and peak <= MEMORY_MB
    left = max(0.0, 1 - found.bound / found.value) if found.value else 0.0
    measured = f"{seconds:.2f} s of CPU, gap {left:.2%}, {peak} MB at most"
    beside = yardstick()
    return Figure(
        name, measured, f"numpy {beside * 1e3:.0f} ms = {seconds / beside:.1f} x", f"{limit} s, {MEMORY_MB} MB", is_met
    )


def hundred(rounds: int, __: Path) -> Iterator[Figure]:
    for shape in ("chain", "random", "layered"):
        for candidates, limit in ((50, 0.25), (200, 0.4)):
            for name, goal in GOALS.items():
                runs = [timed(read_problem(instance(shape, 100, candidates, seed=s)), goal) for s in range(rounds)]
                middle = median(seconds for seconds, _ in runs)
                worst = max(runs, key=lambda run: run[0])
                yield show(f"{shape} 100 x {candidates}, {name}, median of {rounds}", middle, worst[1], limit)
                yield show(f"{shape} 100 x {candidates}, {name}, worst of {rounds}", *worst, limit)


def catalog(_: int, __: Path) -> Iterator[Figure]:
    for jobs, limit in ((100, 2.0), (1000, 10.0)):
        for shape in ("layered", "random"):
            problem = read_problem(instance(shape, jobs, 1000, seed=1, zones=4))
            for name, goal in GOALS.items():
                yield show(f"{shape} {jobs} x 1000, {name}", *timed(problem, goal), limit)


def prepared(rounds: int, folder: Path) -> Iterator[Figure]:
    """Jobs of which no two ask for the same, on the whole catalog: what it takes to state the problem."""
    for jobs, limit in ((5, 0.5), (100, 3.0)):
        path = folder / f"{jobs}.yml"
        path.write_text(_different(jobs))
        workflow = load_workflow(path)
        runs = []
        with chdir(folder):
            for _ in range(rounds):
                started = time.process_time()
                placement = prepare_planning(workflow, options=PlanOptions()).problem.placement
                runs.append(time.process_time() - started)
        seconds, beside = median(runs), yardstick()
        mean = sum(map(len, placement.candidates)) / jobs
        yield Figure(
            f"{jobs} different jobs on the catalog, {mean:,.0f} candidates each, stated", f"{seconds:.2f} s of CPU",
            f"numpy {beside * 1e3:.0f} ms = {seconds / beside:.1f} x", f"{limit} s", seconds <= limit,
        )  # fmt: skip


def _different(jobs: int) -> str:
    rows = []
    for n in range(jobs):
        asked = f"cpus: {1 + n % 29}+, memory: {2 + n * 7 % 61}GB+, market: any"
        work = f"core-hours: {1 + n * 0.37:.2f}, parallel-fraction: {0.8 + n % 20 / 100:.2f}"
        needs = f"needs: j{n - 1}, " if n % 2 else ""
        rows.append(f"  j{n}: {{{needs}resources: {{{asked}}}, estimate: {{work: {{{work}}}}}, steps: [{{run: x}}]}}\n")
    return f"on: push\njobs:\n{''.join(rows)}"


def limits(_: int, __: Path) -> Iterator[Figure]:
    for candidates, places in ((50, {}), (200, {}), (1000, {"zones": 4})):
        for shape in ("chain", "layered", "random"):
            problem = read_problem(instance(shape, 100, candidates, seed=1, **places))
            cheap, fast = (timed(problem, goal)[1] for goal in GOALS.values())
            slow, dear = evaluate(problem, cheap.choice).makespan_seconds, evaluate(problem, fast.choice).usd
            deadline = problem.limited_by(Limits(seconds=(fast.value + slow) / 2))
            budget = problem.limited_by(Limits(usd=cheap.value + 0.15 * (dear - cheap.value)))
            name = f"{shape} 100 x {candidates}"
            yield show(f"{name}, cost, deadline", *timed(deadline, GOALS["cost"]), OVER, gap=0.01)
            yield show(f"{name}, time, budget", *timed(budget, GOALS["time"]), OVER, gap=0.01)


def loss(_: int, __: Path) -> Iterator[Figure]:
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


def of_references(folder: Path) -> Iterator[Figure]:
    known = json.loads((folder / "reference.json").read_text())
    for path in sorted(folder.glob("*.json.gz")):
        data = json.loads(gzip.decompress(path.read_bytes()))
        for name, goal in GOALS.items():
            seconds, found = timed(read_problem(data), goal)
            optimum = known.get(data["name"], {}).get(name, {}).get("optimum")
            if optimum is not None and abs(found.value - optimum) > 1e-6 * max(1.0, optimum):
                yield Figure(f"{data['name']}, {name}, objective", str(found.value), "", str(optimum), met=False)
            yield show(f"{data['name']}, {name}", seconds, found, 0.25 if data["k"] <= 50 else 0.4)


BENCHMARKS = (hundred, catalog, prepared, limits, loss)

if __name__ == "__main__":
    parser = arguments("How fast plans are proven.", rounds=5)
    parser.add_argument("--reference", type=Path, help="a folder of instances with known optima, instead")
    options = parser.parse_args()

    def reference(_: int, __: Path) -> Iterator[Figure]:
        return of_references(options.reference)

    report((reference,) if options.reference else BENCHMARKS, options)
