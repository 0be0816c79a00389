"""The solver's word is taken only for what it has proven."""

import importlib.util
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import PlanStatus
from skyflow.planner.bare import read_problem
from skyflow.planner.decide import decide
from skyflow.planner.problem import Candidates, Limits
from skyflow.planner.schedule import evaluate
from skyflow.planner.solver.solve import solve_stage

spec = importlib.util.spec_from_file_location(
    "instances", Path(__file__).parents[2] / "bench" / "planner" / "instances.py"
)
instances = importlib.util.module_from_spec(spec)
spec.loader.exec_module(instances)
COST = Goal.of(Objective.COST)


@pytest.mark.parametrize("solver", ["cbc", "highs"])
@pytest.mark.parametrize("max_seconds", [0.01, 0.3])
def test_a_search_that_is_cut_short_claims_no_more_than_is_true(solver, max_seconds):
    problem = read_problem(instances.instance("layered", 30, 10, seed=1))
    known = decide(problem, COST, seconds_left=lambda: 60.0)
    assert known.is_proven
    start = tuple(0 for _ in problem.jobs)
    stage = solve_stage(problem, COST, start=start, solver=solver, max_seconds=max_seconds)
    assert stage.bound <= known.value * (1 + 1e-6)
    if stage.status is PlanStatus.OPTIMAL:
        assert stage.value == pytest.approx(known.value)


@pytest.mark.parametrize("goal", [COST, Goal.of(Objective.MAKESPAN)], ids=["cost", "makespan"])
def test_what_is_left_of_a_run_is_proven_by_bounds_and_moves_no_more_than_it_must(goal):
    problem = read_problem(instances.instance("layered", 60, 40, seed=4))
    first = decide(problem, goal, seconds_left=lambda: 60.0)
    candidates, start = list(problem.candidates), list(first.choice)
    for job in range(25):  # these have run where they were planned
        candidates[job] = Candidates.of([(candidates[job].place[start[job]], 0.0, 0.0, 0.0)])
        start[job] = 0
    lost = 40
    candidates[lost] = candidates[lost].only([k for k in range(len(candidates[lost])) if k != start[lost]])
    rest = replace(problem, candidates=tuple(candidates))
    start[lost] = 0
    again = decide(rest, goal, seconds_left=lambda: 60.0, start=tuple(start), with_solver=False)
    assert again.is_proven
    assert again.value == pytest.approx(decide(rest, goal, seconds_left=lambda: 60.0).value)
    start[lost] = again.choice[lost]
    if evaluate(rest, tuple(start)).value(goal) == pytest.approx(again.value):
        assert again.choice == tuple(start)


@pytest.mark.parametrize("solver", ["cbc", "highs"])
def test_bounds_and_solver_agree(solver):
    problem = read_problem(instances.instance("random", 8, 6, seed=2))
    fastest = decide(problem, Goal.of(Objective.MAKESPAN), seconds_left=lambda: 60.0)
    cheapest = decide(problem, COST, seconds_left=lambda: 60.0)
    slow = evaluate(problem, cheapest.choice).makespan_seconds
    limited = problem.limited_by(Limits(seconds=(slow + fastest.value) / 2))
    found = decide(limited, COST, seconds_left=lambda: 60.0, solver=solver)
    stage = solve_stage(limited, COST, start=fastest.choice, solver=solver, max_seconds=60.0)
    assert stage.status is PlanStatus.OPTIMAL
    assert found.value == pytest.approx(stage.value, rel=1e-6)


def test_a_cutoff_is_not_taken_for_a_bound():
    """With the best plan known and no time to find another, CBC once named its cutoff as what it had proven."""
    problem = read_problem(instances.instance("layered", 100, 50, seed=1))
    fastest = decide(problem, Goal.of(Objective.MAKESPAN), seconds_left=lambda: 60.0)
    cheapest = decide(problem, COST, seconds_left=lambda: 60.0)
    quick, slow = fastest.value, evaluate(problem, cheapest.choice).makespan_seconds
    limited = problem.limited_by(Limits(seconds=quick + 0.2 * (slow - quick)))
    looks = count()
    better = decide(limited, COST, seconds_left=lambda: 10.0 - next(looks) / 200, with_solver=False)
    assert better.value < evaluate(limited, fastest.choice).usd
    stage = solve_stage(limited, COST, start=fastest.choice, solver="cbc", max_seconds=1.0)
    assert stage.bound <= better.value
