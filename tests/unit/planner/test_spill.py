"""Which jobs leave the machines that are there: only those that have to, and no fewer."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offerings import offering_at

from skyflow.errors import InfeasibleError
from skyflow.model.catalog import Place, TransferRates
from skyflow.model.objective import Goal, Objective
from skyflow.model.planning import Spill, Spilled, SpillReason
from skyflow.model.resources import Estimate
from skyflow.planner import Knowledge, Limits, PlanningJob, Pool
from skyflow.planner.build import build_problem
from skyflow.planner.plan import solve_problem
from skyflow.planner.schedule import evaluate

HOME, EAST, WEST = Place("own", "lab"), Place("aws", "us-east-1"), Place("gcp", "us-west1")
PLACES = (HOME, EAST, WEST)
RATES = TransferRates(places=PLACES, usd_per_gb=((0.0,) * 3,) * 3, seconds_per_gb=((0.0,) * 3,) * 3)
HOUR = 3600.0
FULL, LATE = SpillReason.POOL_FULL, SpillReason.DEADLINE_AT_RISK


def offering(place, price, kind="m"):
    return offering_at(place, kind if place != HOME else "lab", price)


CANDIDATES = (offering(HOME, 0.0), offering(EAST, 2.0), offering(WEST, 3.0))


def job(key, seconds, *, needs=(), candidates=CANDIDATES, **on):
    return PlanningJob(
        key=key,
        candidates=candidates,
        needs=needs,
        estimate=Estimate(seconds=seconds, on=tuple(on.items())),
    )


def problem_of(jobs, spill, *, machines=1, deadline=None):
    pool = Pool(name="machines of lab", units=machines, takes=lambda one: float(one.provider == "own"))
    built = build_problem(jobs, transfers=RATES, local_slots=1, pools=[pool], limits=Limits(seconds=deadline))
    return replace(built, spill=spill)


def planned(jobs, spill, objective=Objective.COST, **options):
    return solve_problem(
        problem_of(jobs, spill, **options),
        Goal.of(objective),
        knowledge=Knowledge(),
        local_slots=1,
        started=0.0,
        clock=lambda: 0.0,
    )


def rented(plan):
    return {one.job: one.spilled for one in plan.placements if one.offering.provider != "own"}


@pytest.mark.parametrize(
    ("after", "gone"),
    [(0.0, {"b": HOUR, "c": HOUR}), (HOUR, {"c": 2 * HOUR}), (2 * HOUR, {})],
)
def test_a_job_goes_when_it_would_wait_longer_than_it_may(after, gone):
    jobs = [job(key, HOUR) for key in "abc"]
    plan = planned(jobs, Spill(after_seconds=after, when=(FULL,)), Objective.MAKESPAN)
    assert rented(plan) == {key: Spilled(FULL, seconds) for key, seconds in gone.items()}
    assert all(any(key in note for note in plan.notes) for key in gone)
    assert any("a machine is rented" in note for note in plan.notes) == bool(gone)


def test_without_a_rule_cost_keeps_all_at_home_and_time_sends_all_away():
    jobs = [job(key, HOUR) for key in "abc"]
    assert rented(planned(jobs, None)) == {}
    assert len(rented(planned(jobs, None, Objective.MAKESPAN))) >= 2


def test_a_job_goes_when_the_run_would_be_late_and_by_how_much():
    jobs = [job(key, HOUR) for key in "abcd"]
    plan = planned(jobs, Spill(when=(LATE,)), deadline=2.5 * HOUR)
    assert list(rented(plan).values()) == [Spilled(LATE, pytest.approx(0.5 * HOUR))] * 2
    assert plan.makespan_seconds == 2 * HOUR
    assert "would make the run up to 30m 00s late" in " ".join(plan.notes)
    assert rented(planned(jobs, Spill(when=(FULL,), after_seconds=9 * HOUR), deadline=4 * HOUR)) == {}


def test_of_two_jobs_that_are_late_alike_both_go():
    """Neither of them makes the run shorter alone."""
    slow = [job(key, 3 * HOUR, m=HOUR) for key in "ab"]
    last = job("c", HOUR, needs=("a", "b"))
    plan = planned([*slow, last], Spill(when=(LATE,)), machines=2, deadline=2.5 * HOUR)
    assert set(rented(plan)) == {"a", "b"}


def test_machines_are_rented_only_where_the_rule_says():
    jobs = [job(key, HOUR) for key in "ab"]
    plan = planned(jobs, Spill(when=(FULL,), to=("gcp",)))
    assert {one.offering.provider for one in plan.placements} == {"own", "gcp"}
    nowhere = [job(key, HOUR, candidates=CANDIDATES[:2]) for key in "ab"]
    assert rented(planned(nowhere, Spill(when=(FULL,), to=("gcp",)))) == {}  # so they wait


def test_jobs_that_cannot_stay_are_none_of_its_business():
    plan = planned([job("a", HOUR, candidates=CANDIDATES[1:])], Spill(to=("gcp",)))
    assert rented(plan) == {"a": None}
    assert plan.placement("a").offering.provider == "aws"


def test_another_machine_that_is_there_comes_before_a_rented_one():
    dear = replace(offering(Place("own", "lab"), 1.0), instance_type="dear")
    pool = Pool(name="lab", units=1, takes=lambda one: float(one.instance_type == "lab"))
    other = Pool(name="dear", units=1, takes=lambda one: float(one.instance_type == "dear"))
    jobs = [job(key, HOUR, candidates=(*CANDIDATES, dear)) for key in "abc"]
    built = build_problem(jobs, transfers=RATES, local_slots=1, pools=[pool, other])
    plan = solve_problem(
        replace(built, spill=Spill()),
        Goal.of(Objective.COST),
        knowledge=Knowledge(),
        local_slots=1,
        started=0.0,
        clock=lambda: 0.0,
    )
    assert sorted(one.offering.instance_type for one in plan.placements) == ["dear", "lab", "m"]


def test_a_deadline_that_nothing_keeps_says_that_the_rule_decides():
    with pytest.raises(InfeasibleError, match=r"the fastest possible plan takes 1h 00m; 'plan\.spill' decides"):
        planned([job("a", HOUR)], Spill(), deadline=60.0)


@st.composite
def workloads(draw):
    jobs = []
    for index in range(draw(st.integers(1, 5))):
        needs = tuple(one.key for one in jobs if draw(st.booleans()))
        candidates = draw(st.sampled_from([CANDIDATES, CANDIDATES[:2], CANDIDATES[:1], CANDIDATES[1:]]))
        seconds = st.sampled_from([60.0, 600.0, 900.0])
        jobs.append(job(f"j{index}", draw(seconds), needs=needs, candidates=candidates, m=draw(seconds)))
    return jobs


@settings(max_examples=150)
@given(
    jobs=workloads(),
    machines=st.integers(1, 2),
    after=st.sampled_from([0.0, 60.0, 700.0]),
    rule=st.tuples(st.sampled_from([(FULL,), (LATE,), (FULL, LATE)]), st.sampled_from([None, 0.5, 0.7, 1.0])),
    objective=st.sampled_from([Objective.COST, Objective.MAKESPAN]),
)
def test_nobody_waits_too_long_and_nobody_goes_without_need(jobs, machines, after, rule, objective):
    when, share = rule
    spill = Spill(after_seconds=after, when=when)
    whole = problem_of(jobs, spill, machines=machines).placement
    at_home = evaluate(whole, (0,) * len(jobs)).makespan_seconds
    deadline = None if share is None or LATE not in when else share * at_home
    try:
        plan = planned(jobs, spill, objective, machines=machines, deadline=deadline)
    except InfeasibleError:
        choices = product(*(range(len(options)) for options in whole.candidates))
        assert min(evaluate(whole, choice).makespan_seconds for choice in choices) > deadline
        return
    choice = tuple(
        options.offerings.index(plan.placement(name).offering)
        for name, options in zip(whole.jobs, whole.candidates, strict=True)
    )

    def too_late(choice):
        return deadline is not None and evaluate(whole, choice).makespan_seconds > deadline + 1e-3

    def waiting(choice):
        waits = evaluate(whole, choice).waits(whole, choice) if FULL in when else ()
        return [
            index
            for index, wait in enumerate(waits)
            if wait > after + 1e-3 and choice[index] == 0 and len(whole.candidates[index]) > 1
        ]

    def elsewhere(index, k):
        return (*choice[:index], k, *choice[index + 1 :])

    assert not too_late(choice)
    for index in waiting(choice):
        assert all(too_late(elsewhere(index, k)) for k in range(1, len(whole.candidates[index])))
    for index, options in enumerate(whole.candidates):
        is_there = [one.provider == "own" for one in options.offerings]
        spilled = plan.placement(whole.jobs[index]).spilled
        assert (spilled is not None) == (is_there[0] and not is_there[choice[index]])
        if spilled is not None:
            home = elsewhere(index, 0)
            assert too_late(home) or waiting(home)
