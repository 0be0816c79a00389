"""The best choice against brute force: every goal, every limit, reductions and bounds, on small random problems."""

import math
from array import array
from dataclasses import replace
from itertools import product

import mip
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.planner.small import everything, problems

from skyflow.model.objective import Goal, Objective
from skyflow.planner.bounds.network import Network, reduced
from skyflow.planner.decide import Decision, Infeasible, decide
from skyflow.planner.problem import Candidates, Capacity, Edge, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate

GOALS = (
    Goal.of(Objective.COST),
    Goal.of(Objective.MAKESPAN),
    Goal.of(Objective.CARBON),
    Goal.weighted(cost=1.0, usd_per_tonne=1000.0, usd_per_hour=0.0),
    Goal.weighted(cost=1.0, usd_per_tonne=100.0, usd_per_hour=5.0),
)
FIGURES = ("usd", "grams", "seconds")


def figures(found):
    return {"usd": found.usd, "grams": found.grams, "seconds": found.makespan_seconds}


def answer(problem, goal, *, is_small=True, **options):
    """Decide, as small as the problem is, or as if it were too large to try all choices."""
    with pytest.MonkeyPatch.context() as patch:
        if not is_small:
            patch.setattr("skyflow.planner.sharing.relay._FEW_LABELS", 0)
        return decide(problem, goal, **{"seconds_left": lambda: 60.0, **options})


@st.composite
def limited(draw):
    """A problem with limits somewhere between what is possible at best and what is not limited at all."""
    problem = draw(problems(max_jobs=4))
    found = [figures(one) for one in everything(problem)]
    limits = {}
    for name in draw(st.lists(st.sampled_from(FIGURES), min_size=1, max_size=3, unique=True)):
        values = sorted({one[name] for one in found})
        at = values[draw(st.integers(0, len(values) - 1))]
        limits[name] = at * draw(st.sampled_from([0.999, 1.0, 1.001]))
    return problem.limited_by(Limits(**limits))


@pytest.mark.parametrize(
    ("goal", "is_small"),
    [*((goal, True) for goal in GOALS), (GOALS[-1], False)],
    ids=lambda one: f"{one.objective}-{one.seconds:.4f}" if isinstance(one, Goal) else f"small-{one}",
)
@settings(max_examples=60)
@given(problem=problems())
def test_no_choice_is_better(goal, is_small, problem):
    least = min(one.value(goal) for one in everything(problem))
    found = answer(problem, goal, is_small=is_small)
    assert found.value == pytest.approx(least, rel=1e-6, abs=1e-9)
    assert found.bound <= least * (1 + 1e-9) + 1e-12
    assert evaluate(problem, found.choice).value(goal) == found.value
    assert found.is_proven or found.bound == pytest.approx(least, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("way", [{}, *({"is_small": False, "solver": solver} for solver in ("cbc", "highs"))], ids=str)
@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.objective}-{goal.seconds:.4f}")
@settings(max_examples=20)
@given(problem=limited())
def test_limits_are_kept_and_nothing_within_them_is_better(goal, way, problem):
    within = [one for one in everything(problem) if not one.exceeded(problem)]
    found = answer(problem, goal, **way)
    if not within:
        assert isinstance(found, Infeasible)
        return
    least = min(one.value(goal) for one in within)
    assert isinstance(found, Decision)
    assert not evaluate(problem, found.choice).exceeded(problem)
    assert found.bound <= least * (1 + 1e-6) + 1e-9
    assert found.value == pytest.approx(least, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.objective}-{goal.seconds:.4f}")
@settings(max_examples=40)
@given(problem=limited())
def test_the_reduced_problem_has_the_same_optimum(goal, problem):
    network = Network(problem, reduced(problem, goal))
    best = [
        min((one.value(goal) for one in found if not one.exceeded(problem)), default=math.inf)
        for found in (
            everything(problem),
            [evaluate(problem, network.choice(at)) for at in product(*(range(len(one)) for one in network.columns))],
        )
    ]
    assert best[0] == pytest.approx(best[1])


@settings(max_examples=40)
@given(problem=problems(), units=st.integers(1, 2), data=st.data())
def test_capacities_are_kept_and_the_bound_is_true(problem, units, data):
    uses = tuple(
        array("d", [data.draw(st.sampled_from([0.0, 1.0])) for _ in range(len(options))])
        for options in problem.candidates
    )
    crowded = replace(problem, capacities=(Capacity(name="slots", units=units, uses=uses),))
    goal = Goal.of(Objective.MAKESPAN)
    least = min(one.value(goal) for one in everything(crowded))
    found = answer(crowded, goal)
    assert found.bound <= least * (1 + 1e-6) + 1e-9
    assert found.value >= least * (1 - 1e-9)
    changes = []
    for job, (k, start) in enumerate(zip(found.choice, evaluate(crowded, found.choice).starts, strict=True)):
        seconds = crowded.candidates[job].seconds[k]
        changes += [(start, 1, uses[job][k]), (start + seconds, 0, -uses[job][k])] if seconds else []
    taken = 0.0
    for _, _, change in sorted(changes):
        taken += change
        assert taken <= units


@pytest.mark.parametrize("limits", [Limits(), Limits(seconds=100.0)], ids=["makespan", "deadline"])
def test_what_is_slower_and_takes_up_less_of_something_scarce_is_not_left_out(limits):
    rows, uses = [(0, 90.0, 1.0, 0.0), (0, 100.0, 1.0, 0.0)], array("d", [2.0, 1.0])
    nothing = ((0.0,),)
    problem = PlacementProblem(
        jobs=("a", "b"), candidates=(Candidates.of(rows),) * 2, edges=(),
        usd_per_gb=nothing, seconds_per_gb=nothing, grams_per_gb=nothing,
        capacities=(Capacity(name="vCPUs", units=2, uses=(uses, uses)),), limits=limits,
    )  # fmt: skip
    found = answer(problem, Goal.of(Objective.COST if limits else Objective.MAKESPAN))
    assert isinstance(found, Decision)
    assert found.choice == (1, 1)
    assert found.bound <= found.value


def test_a_choice_to_begin_with_is_never_lost(tiny):
    for start in product(range(2), range(4)):
        if evaluate(tiny, start).exceeded(tiny):
            continue
        found = answer(tiny, GOALS[0], start=start, seconds_left=lambda: 0.0)
        assert found.value <= evaluate(tiny, start).value(GOALS[0])


@pytest.mark.parametrize("goal", GOALS[:3])
def test_no_time_leaves_a_choice_that_says_so(tiny, goal):
    found = answer(tiny, goal, seconds_left=lambda: 0.0)
    assert isinstance(found, Decision)
    assert found.is_proven or "time ran out: a better plan may exist" in found.notes


@pytest.fixture
def tight(tiny):
    """Bounds alone do not settle this one: an odd cycle of jobs that all want to be together, at dear places."""
    rows = [(place, 100.0, usd, 0.0) for place, usd in ((0, 3.0), (1, 2.1), (2, 2.6))]
    return replace(
        tiny,
        jobs=("a", "b", "c"),
        candidates=tuple(Candidates.of(rows[shift:] + rows[:shift]) for shift in range(3)),
        edges=(Edge(0, 0, 1, 9.0), Edge(1, 0, 2, 9.0), Edge(2, 1, 2, 9.0)),
        capacities=(),
        limits=Limits(seconds=1000.0, usd=7.9),
    )


@pytest.mark.parametrize(
    ("outcome", "note"),
    [
        (mip.InterfacingError("it broke"), "cbc failed: it broke"),
        (OSError("no such library"), "cbc failed: no such library"),
        (mip.OptimizationStatus.UNBOUNDED, "cbc stopped with status UNBOUNDED"),
        (mip.OptimizationStatus.INFEASIBLE, "cbc finds no plan where there is one"),
    ],
)
def test_a_solver_that_fails_leaves_a_choice_that_says_so(tight, monkeypatch, outcome, note):
    def optimize(*_args, **_kwargs):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(mip.Model, "optimize", optimize)
    monkeypatch.setattr("skyflow.planner.bounds.tradeoff.Tradeoff.solve", lambda *_, **__: None)
    monkeypatch.setattr("skyflow.planner.bounds.closing.close", lambda _: None)
    found = answer(tight, Goal.weighted(cost=1, usd_per_tonne=0, usd_per_hour=9), is_small=False)
    assert not found.is_proven
    assert found.notes == (f"planned without a solver, because {note}",)
