"""`skyflow plan --problem`: bare placement problems, by their format."""

import gzip
import importlib.util
import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

INSTANCES = Path(__file__).parents[1] / "bench" / "planner" / "instances.py"
spec = importlib.util.spec_from_file_location("instances", INSTANCES)
instances = importlib.util.module_from_spec(spec)
spec.loader.exec_module(instances)


def planned(path, *options):
    done = subprocess.run(
        [sys.executable, "-m", "skyflow", "plan", "--problem", str(path), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def value(data, plan, objective):
    """The format's own definition of the objectives."""
    chosen = [task["candidates"][k] for task, k in zip(data["tasks"], plan, strict=True)]
    if objective == "cost":
        moved = sum(gb * data["egress_usd_per_gb"][chosen[u][0]][chosen[v][0]] for u, v, gb in data["edges"])
        return moved + sum(candidate[4] for candidate in chosen)
    finishes = []
    for task, candidate in enumerate(chosen):
        arrivals = [
            finishes[u]
            + (0 if chosen[u][0] == candidate[0] else gb * 8 / data["bandwidth_gbps"][chosen[u][0]][candidate[0]])
            for u, v, gb in data["edges"]
            if v == task
        ]
        finishes.append(max(arrivals, default=0) + candidate[2])
    return max(finishes)


@pytest.mark.parametrize("objective", ["cost", "time"])
@pytest.mark.parametrize("shape", instances.SHAPES)
def test_the_answer_is_the_best_there_is(tmp_path, shape, objective):
    data = instances.instance(shape, 6, 4, seed=3)
    path = tmp_path / "problem.json.gz"
    path.write_bytes(gzip.compress(json.dumps(data).encode()))
    code, out, _ = planned(path, "--objective", objective, "--json")
    answer = json.loads(out)
    assert (code, answer["status"], answer["gap"]) == (0, "optimal", 0.0)
    assert set(answer) == {"status", "objective", "bound", "gap", "seconds", "plan"}
    assert answer["objective"] == pytest.approx(value(data, answer["plan"], objective))
    least = min(value(data, plan, objective) for plan in product(range(4), repeat=6))
    assert answer["objective"] == pytest.approx(least, rel=1e-9)


@pytest.mark.parametrize("objective", ["cost", "time"])
@pytest.mark.parametrize("shape", instances.SHAPES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_hundred_tasks_are_proven(tmp_path, shape, objective, seed):
    data = instances.instance(shape, 100, 50, seed=seed)
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(data))
    _, out, _ = planned(path, "--objective", objective, "--json")
    answer = json.loads(out)
    assert answer["status"] == "optimal"
    assert answer["objective"] == pytest.approx(value(data, answer["plan"], objective))


def test_people_get_a_sentence(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(instances.instance("chain", 3, 2, seed=1)))
    code, out, _ = planned(path)
    assert code == 0
    assert out.startswith("optimal: ")
    assert "candidate of each task: " in out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "skyflow-bench/9"}, "its format is 'skyflow-bench/9'"),
        ({"edges": [[1, 0, 1.0]]}, "edges[0] is not [task, later task, gigabytes]"),
        ({"edges": [[0, 1, -1.0]]}, "edges[0] is not"),
        ({"tasks": [{"candidates": []}]}, "tasks[0] has no candidate"),
        ({"tasks": [{"candidates": [[99, 0, 1.0, 1.0, 1.0]]}]}, "a place of tasks[0] is not among the 28 regions"),
        ({"tasks": [{"candidates": [[0, 0, "x", 1.0, 1.0]]}]}, "tasks[0].candidates is no list"),
        ({"tasks": [{"candidates": [[0, 0, -1.0, 1.0, 1.0]]}]}, "a figure of tasks[0] is below 0"),
        ({"egress_usd_per_gb": [[0.0]]}, "'egress_usd_per_gb' does not have 28 rows and columns"),
        ({"bandwidth_gbps": None}, "'bandwidth_gbps' is not a list"),
    ],
)
def test_what_is_wrong_with_a_problem_is_told(tmp_path, change, message):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps({**instances.instance("chain", 2, 2, seed=1), **change}))
    code, _, err = planned(path)
    assert code == 2
    assert message in err
    assert str(path) in err


def test_what_is_no_problem_at_all_is_told(tmp_path):
    (tmp_path / "broken.json").write_bytes(b"\x1f\x8bnot gzip")
    for arguments, message in (
        ((tmp_path / "missing.json",), "cannot read"),
        ((tmp_path / "broken.json",), "is not JSON"),
        ((INSTANCES, "--objective", "speed"), "did you mean 'makespan'?"),
        ((INSTANCES, "--objective", "beauty"), "it is one of carbon, cost or makespan"),
        ((INSTANCES, "--solver", "glpk"), "there is no solver 'glpk'"),
        ((INSTANCES, str(INSTANCES)), "contradict each other"),
        ((INSTANCES, "--budget", "5", "--on", "aws"), "--problem cannot be combined with --budget and --on"),
        ((INSTANCES, "--frontier"), "--problem cannot be combined with --frontier"),
    ):
        code, _, err = planned(*arguments)
        assert code == 2
        assert message in err


def test_no_jobs_are_a_plan_too(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps({**instances.instance("chain", 2, 2, seed=1), "tasks": [], "edges": []}))
    assert json.loads(planned(path, "--json")[1])["plan"] == []
