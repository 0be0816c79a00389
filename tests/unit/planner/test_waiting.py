"""Jobs that wait for cleaner hours: the best starts against brute force, bounds that hold, and plans that are checked."""

from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offerings import offering_at

from skyflow.errors import InternalError
from skyflow.model.catalog import Place, TransferRates
from skyflow.model.footprint import Footprint
from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import PlanStatus
from skyflow.model.resources import Estimate
from skyflow.planner import PlanningJob
from skyflow.planner.build import build_problem
from skyflow.planner.choose import choose
from skyflow.planner.decide import Decision, Infeasible
from skyflow.planner.estimates import Knowledge
from skyflow.planner.hours import Hours
from skyflow.planner.plan import solve_problem
from skyflow.planner.problem import Candidates, Edge, Limits, PlacementProblem
from skyflow.planner.schedule import evaluate
from skyflow.planner.verify import verify_plan
from skyflow.planner.waiting import at_best_hours, best_starts

BEGAN = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
CARBON, COST = Goal.of(Objective.CARBON), Goal.of(Objective.COST)
EAST = Place("aws", "us-east-1")


def hours(*factors, latest=6 * 3600.0, first=1800.0):
    return Hours(begins_at=BEGAN, latest_seconds=latest, first_seconds=first, factors=factors)


@st.composite
def problems(draw, candidates=1):
    """A few jobs on two grids whose hours differ, with a deadline."""
    count = draw(st.integers(1, 3))
    factor = st.lists(st.sampled_from([0.2, 0.5, 1.0, 1.5, 3.0]), min_size=8, max_size=8)
    edges = [(u, v) for v in range(count) for u in range(v) if draw(st.booleans())]
    row = st.tuples(
        st.integers(0, 1), st.sampled_from([600.0, 3000.0, 3600.0, 5400.0]), st.sampled_from([0.0, 1.0, 2.0]),
        st.sampled_from([10.0, 20.0, 100.0]),
    )  # fmt: skip
    jobs = []
    for _ in range(count):
        rows = draw(st.lists(row, min_size=1, max_size=candidates))
        jobs.append(Candidates.of(rows, curve=[draw(st.integers(-1, 1)) for _ in rows]))
    made = any(one.curve for one in jobs)
    problem = PlacementProblem(
        jobs=tuple(f"job-{j}" for j in range(count)),
        candidates=tuple(jobs),
        edges=tuple(Edge(e, u, v, draw(st.sampled_from([0.0, 50.0]))) for e, (u, v) in enumerate(edges)),
        usd_per_gb=((0.0, 0.01), (0.01, 0.0)),
        seconds_per_gb=((0.0, 8.0), (8.0, 0.0)),
        grams_per_gb=((0.0, 0.1), (0.1, 0.0)),
        hours=hours(draw(factor), draw(factor), latest=draw(st.sampled_from([3.0, 6.0])) * 3600) if made else None,
    )
    soonest = max(evaluate(problem, choice).makespan_seconds for choice in choices(problem))
    return problem.limited_by(Limits(seconds=draw(st.sampled_from([soonest, soonest + 3600, 6 * 3600.0 + soonest]))))


def choices(problem):
    return list(product(*(range(len(one)) for one in problem.candidates)))


def schedules(problem, choice, steps):
    """Yield every way to start the jobs: at once when the inputs are there, or at one of the steps after that."""
    took = [options.seconds[k] for options, k in zip(problem.candidates, choice, strict=True)]

    def begin(job, starts):
        if job == len(took):
            yield starts
            return
        ready = 0.0
        for edge in problem.edges:
            if edge.target == job:
                a, b = problem.place(edge.source, choice), problem.place(job, choice)
                moved = edge.gigabytes * problem.seconds_per_gb[a][b]
                ready = max(ready, starts[edge.source] + took[edge.source] + moved)
        for at in {ready, *(step for step in steps if step >= ready)}:
            if at + took[job] <= problem.limits.seconds + 1e-6:
                yield from begin(job + 1, (*starts, at))

    yield from begin(0, ())


def emitted(problem, choice, starts):
    """Add up second by ten seconds what each job emits, without the planner's integrals."""
    total = 0.0
    for edge in problem.edges:
        a, b = problem.place(edge.source, choice), problem.place(edge.target, choice)
        total += edge.gigabytes * problem.grams_per_gb[a][b]
    for options, k, start in zip(problem.candidates, choice, starts, strict=True):
        curve = options.curve[k] if options.curve else -1
        seconds, step = int(options.seconds[k]), 10
        for at in range(0, seconds, step):
            hour = int((start + at + step / 2 - problem.hours.first_seconds) // 3600) + 1
            factors = problem.hours.factors[curve] if curve >= 0 else ()
            factor = factors[hour] if hour < len(factors) else 1.0
            total += options.grams[k] * (factor if curve >= 0 else 1.0) * step / seconds
    return total


@given(problems())
def test_the_starts_are_the_cleanest_among_full_hours_and_as_soon_as_possible(problem):
    if problem.hours is None:
        return
    choice = (0,) * len(problem.jobs)
    steps = [1800.0 + 3600 * hour for hour in range(7) if 1800 + 3600 * hour <= problem.hours.latest_seconds]
    least = min(emitted(problem, choice, starts) for starts in schedules(problem, choice, steps))
    held = best_starts(problem, CARBON, choice, is_late=lambda: False)
    found = evaluate(problem, choice, held)
    assert not found.exceeded(problem)
    assert found.grams == pytest.approx(least, rel=0.01)
    assert all(start % 3600 == 1800 for start in held.values())


@given(problems(candidates=3))
def test_no_machines_and_starts_emit_less_than_the_bound(problem):
    if problem.hours is None:
        return
    steps = [float(at) for at in range(0, int(problem.hours.latest_seconds) + 1, 1800)]
    if len(problem.jobs) > 2:
        steps = steps[::3]
    least = min(
        emitted(problem, choice, starts) for choice in choices(problem) for starts in schedules(problem, choice, steps)
    )
    found = choose(problem, CARBON, start=None, seconds_left=lambda: 60.0, solver="cbc")
    assert isinstance(found, Decision)
    assert found.bound <= least * 1.01 + 0.1  # for less than that nobody waits
    real = evaluate(problem, found.choice, found.held)
    assert real.grams == pytest.approx(found.value)
    assert not real.exceeded(problem)


@given(problems(candidates=2))
def test_every_job_emits_at_least_what_the_problem_of_the_best_hours_says(problem):
    relaxed = at_best_hours(problem)
    for choice in choices(problem):
        soon = evaluate(problem, choice)
        if not soon.exceeded(problem):
            assert evaluate(relaxed, choice).grams <= soon.grams + 1e-9


def one(*, cap=None, deadline=6 * 3600.0, grams=100.0):
    """A job of an hour that is cleanest in the third full hour."""
    options = Candidates.of([(0, 3600.0, 1.0, grams)], [offering_at(EAST, "m", 1.0)], curve=[0])
    return PlacementProblem(
        jobs=("job",), candidates=(options,), edges=(),
        usd_per_gb=((0.0,),), seconds_per_gb=((0.0,),), grams_per_gb=((0.0,),),
        limits=Limits(grams=cap, seconds=deadline), hours=hours((1.0, 1.0, 0.8, 0.2, 0.8, 1.0, 1.0)),
    )  # fmt: skip


@pytest.mark.parametrize(("grams", "cap", "waits"), [(0.13, None, True), (0.12, None, False), (0.12, 0.1, True)])
def test_nobody_waits_for_less_than_a_tenth_of_a_gram_unless_a_cap_asks_for_it(grams, cap, waits):
    problem = one(grams=grams, cap=cap)
    found = choose(problem, CARBON, start=None, seconds_left=lambda: 60.0, solver="cbc")
    assert isinstance(found, Decision)
    assert bool(found.held) is waits
    assert found.is_proven
    assert evaluate(problem, found.choice, found.held).grams == pytest.approx(found.value)


def test_a_plan_for_cost_waits_only_where_a_cap_asks_for_it():
    lax = choose(one(cap=100.0), COST, start=None, seconds_left=lambda: 60.0, solver="cbc")
    strict = choose(one(cap=30.0), COST, start=None, seconds_left=lambda: 60.0, solver="cbc")
    assert isinstance(lax, Decision)
    assert isinstance(strict, Decision)
    assert lax.held == {}
    assert strict.held == {0: 1800.0 + 2 * 3600}
    assert strict.is_proven


@pytest.mark.parametrize("problem", [one(cap=10.0), one(cap=30.0, deadline=2 * 3600.0)])
def test_what_no_hour_makes_clean_enough_is_not_possible(problem):
    found = choose(problem, COST, start=None, seconds_left=lambda: 60.0, solver="cbc")
    assert isinstance(found, Infeasible)
    assert found.is_proven


def test_a_deadline_that_leaves_no_time_lets_nobody_wait():
    found = choose(one(deadline=3600.0), CARBON, start=None, seconds_left=lambda: 60.0, solver="cbc")
    assert isinstance(found, Decision)
    assert found.held == {}


RATES = TransferRates(places=(EAST,), usd_per_gb=((0.0,),), seconds_per_gb=((0.8,),))


def planned():
    machine = offering_at(EAST, "m", 1.0)
    jobs = [
        PlanningJob(key="a", candidates=(machine,), estimate=Estimate(seconds=1800.0)),
        PlanningJob(key="b", candidates=(machine,), needs=("a",), estimate=Estimate(seconds=3600.0)),
    ]
    knowledge = Knowledge(
        footprint=lambda _: Footprint(idle_watts=1000.0, max_watts=1000.0, pue=1.0, gco2_per_kwh=100.0), startup=lambda _: 40.0, curve=lambda _: 0,
    )  # fmt: skip
    problem = build_problem(
        jobs, transfers=RATES, local_slots=1, knowledge=knowledge, limits=Limits(seconds=6 * 3600.0),
        hours=hours((1.0, 1.0, 0.8, 0.2, 0.8, 1.0, 1.0)),
    )  # fmt: skip
    plan = solve_problem(problem, CARBON, knowledge=knowledge, local_slots=1, started=0.0, clock=lambda: 0.0)
    return problem.placement, plan


def test_the_plan_says_who_waits_for_what_and_what_that_saves():
    _, plan = planned()
    assert plan.begins_at == BEGAN
    assert set(plan.moments.values()) <= {BEGAN + timedelta(seconds=1800 + 3600 * hour) for hour in range(7)}
    assert plan.waiting is not None
    assert plan.waiting.saved_grams > 30
    assert plan.waiting.later_seconds > 0
    assert plan.proof.bound <= plan.proof.value
    assert plan.status in PlanStatus
    assert plan.placement("a").machine == plan.placement("b").machine, "jobs that share a machine wait together"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda plan: replace(plan, waiting=None),
        lambda plan: replace(plan, begins_at=BEGAN + timedelta(hours=1)),
        lambda plan: replace(plan, waiting=replace(plan.waiting, saved_grams=plan.waiting.saved_grams + 1)),
        lambda plan: replace(plan, waiting=replace(plan.waiting, later_seconds=0.0)),
        lambda plan: replace(
            plan, placements=tuple(replace(p, not_before_seconds=p.start_seconds + 60) for p in plan.placements)
        ),
        lambda plan: replace(
            plan, placements=tuple(replace(p, carbon_grams=p.carbon_grams * 0.9) for p in plan.placements)
        ),
    ],
    ids=["no saving", "another beginning", "more saved", "nothing later", "too early", "less emitted"],
)
def test_a_plan_that_says_otherwise_fails_its_check(wrong):
    problem, plan = planned()
    verify_plan(plan, problem)
    with pytest.raises(InternalError, match="fails its verification"):
        verify_plan(wrong(plan), problem)


def test_hours_that_nobody_knows_are_as_clean_as_the_mean():
    some = hours((2.0, 4.0))
    assert some.factor(-1, 0.0, 3600.0) == 1.0
    assert some.factor(0, 0.0, 1800.0) == 2.0
    assert some.factor(0, 0.0, 3600.0) == 3.0
    assert some.factor(0, 5400.0, 3600.0) == 1.0
    assert some.factor(0, 1800.0 + 1800.0, 3600.0) == 2.5
    assert array("d", [some.least_factor(0, 3600.0, 0.0, 9000.0)]) == array("d", [1.0])
