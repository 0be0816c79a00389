"""Planning beside SkyPilot's optimizer, on bare problems that both get alike, and on the whole catalog."""

import gzip
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import SKYFLOW, taken_by
from peers import Tool

sys.path.append(str(Path(__file__).parent / "planner"))

from instances import instance

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bare import read_problem
from skyflow.planner.decide import Decision, decide

__all__ = ["on_problems", "on_the_catalog", "problems"]

SHAPES = ("chain", "random", "layered")
SIZES = ((10, 50), (20, 50), (50, 50), (100, 50), (10, 200), (100, 200))
GOALS = {"cost": Goal.of(Objective.COST), "time": Goal.of(Objective.MAKESPAN)}
PATIENCE = 30.0


def problems(given: Path | None, cache: Path) -> Iterator[Path]:
    """Yield the files of the problems, the small ones of a shape first: those of a folder, or ours from their seeds."""
    for shape in SHAPES:
        for jobs, candidates in SIZES:
            name = f"{shape}_n{jobs}_k{candidates}_s0.json.gz"
            if given is not None:
                yield given / name
                continue
            path = cache / "problems" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(json.dumps(instance(shape, jobs, candidates, seed=0)).encode()))
            yield path


def on_problems(given: Path | None, cache: Path, skypilot: Tool | str) -> dict[str, Any]:
    """Return what both took for each problem and goal, in processor seconds of deciding alone."""
    rows: list[dict[str, Any]] = []
    known = json.loads((given / "reference.json").read_text()) if given is not None else {}
    given_up: set[tuple[str, str, int]] = set()
    for path in problems(given, cache):
        problem = json.loads(gzip.decompress(path.read_bytes()))
        for name, goal in GOALS.items():
            taken, found = zip(*(_ours(problem, goal) for _ in range(3)), strict=True)
            row = {
                "problem": f"{problem['shape']}, {problem['n']} jobs, {problem['k']} candidates each",
                "goal": name,
                "seconds": statistics.median(taken),
                "gap": found[0].value - found[0].bound,
                "objective": found[0].value,
            }
            kind = (problem["shape"], name, problem["k"])
            if isinstance(skypilot, Tool):
                row["peer"] = None if kind in given_up else _theirs(skypilot, path, name)
                if row["peer"] is None:
                    row["not_run"] = kind in given_up
                    given_up.add(kind)
            else:
                past = known.get(problem["name"], {}).get(name, {})
                row["peer"] = {"seconds": past["skypilot_seconds"]} if past.get("skypilot_finished") else None
            rows.append(row)
            print(json.dumps(row), flush=True)
    return {
        "title": "Planning beside SkyPilot's optimizer",
        "is_recorded": not isinstance(skypilot, Tool),
        "given": given is not None,
        "patience": PATIENCE,
        "rows": rows,
    }


def _ours(problem: dict[str, Any], goal: Goal) -> tuple[float, Decision]:
    placement = read_problem(problem)
    began = time.process_time()
    found = decide(placement, goal, seconds_left=lambda: PATIENCE - (time.process_time() - began))
    assert isinstance(found, Decision)
    return time.process_time() - began, found


def _theirs(skypilot: Tool, path: Path, goal: str) -> dict[str, float] | None:
    """Return what SkyPilot took and found; None if its patience, in processor seconds of one process, did not suffice."""
    script = Path(__file__).parent / "skypilot_optimizer.py"
    command = ["bash", "-c", f'ulimit -t {PATIENCE:.0f}; exec "$@"', "-", skypilot.program, script, path, goal]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        if "Traceback" in done.stderr and "PulpSolverError" not in done.stderr:
            raise SystemExit(f"SkyPilot's optimizer failed on {path.name}:\n{done.stderr[-2000:]}")
        return None
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


RECORDED_END_TO_END = {"1 job": 3.5, "a chain of 5 jobs": 12.8, "a chain of 10 jobs": 24.5, "5 jobs at random": None}
"""What SkyPilot 0.14.1 took in seconds with catalogs of the real size and 148 candidates a task, on another machine of two CPUs;
None is no answer in 75. Its catalogs are fetched from the network, so it is not measured anew here."""


def on_the_catalog(rounds: int, folder: Path) -> dict[str, Any]:
    """Return what `skyflow plan` takes as a process, on the whole catalog."""
    rows = []
    shapes: dict[str, list[tuple[int, ...]]] = {
        "1 job": [()],
        "a chain of 5 jobs": [(), *((n,) for n in range(4))],
        "a chain of 10 jobs": [(), *((n,) for n in range(9))],
        "5 jobs at random": [(), (0,), (0, 1), (0, 2), (1, 2, 3)],
        "100 jobs at random": [tuple(sorted({n // 2, n * 7 % n})) if n else () for n in range(100)],
    }
    for name, needs in shapes.items():
        (folder / "w.yml").write_text(_workflow(needs))
        taken = [taken_by([*SKYFLOW, "plan", "w.yml"], folder) for _ in range(rounds)]
        shown = subprocess.run([*SKYFLOW, "plan", "--json", "w.yml"], cwd=folder, capture_output=True, check=True)
        plan = json.loads(shown.stdout)
        rows.append(
            {
                "workflow": name,
                "seconds": statistics.median(wall for wall, _ in taken),
                "cpu": statistics.median(cpu for _, cpu in taken),
                "status": plan["status"],
                "peer": RECORDED_END_TO_END.get(name, "none"),
            }
        )
    return {"title": "Planning on the whole catalog", "rounds": rounds, "rows": rows}


def _workflow(needs: list[tuple[int, ...]]) -> str:
    rows = []
    for number, parents in enumerate(needs):
        after = f"needs: [{', '.join(f'j{n}' for n in parents)}], " if parents else ""
        data = f"data: {{{', '.join(f'j{n}: 5GB' for n in parents)}}}, " if parents else ""
        what = f"resources: {{cpus: {2 ** (number % 5 + 1)}+, market: any}}"
        rows.append(f"  j{number}: {{{after}{data}runs-on: sky, {what}, estimate: 1h, steps: [{{run: x}}]}}\n")
    return f"on: push\njobs:\n{''.join(rows)}"
