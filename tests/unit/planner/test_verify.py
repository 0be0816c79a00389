"""The check of finished plans: what is right passes, whatever is wrong is named."""

import re
from dataclasses import replace

import pytest

from skyflow.errors import InternalError
from skyflow.model.catalog import LOCAL_PLACE, Place, TransferRates
from skyflow.model.objective import Objective
from skyflow.model.placement import PlanStatus
from skyflow.model.resources import Estimate
from skyflow.planner import PlanningJob, plan_jobs
from skyflow.planner.build import build_problem
from skyflow.planner.verify import verify_plan

EAST = Place("aws", "us-east-1")
RATES = TransferRates(
    places=(EAST, LOCAL_PLACE), usd_per_gb=((0.0, 0.09), (0.01, 0.0)), seconds_per_gb=((0.8, 80.0), (80.0, 0.0))
)


@pytest.fixture
def jobs(make_offering):
    host, machine = make_offering(LOCAL_PLACE, "this-machine", 0.0), make_offering(EAST, "m6i.large", 0.1)
    estimate = Estimate(seconds=100.0)
    return [
        PlanningJob(key="a", candidates=(host, machine), estimate=estimate),
        PlanningJob(key="b", candidates=(host,), estimate=estimate),
        PlanningJob(key="c", candidates=(machine,), needs=("a",), data_gb=(("a", 2.0),), estimate=estimate),
    ]


@pytest.fixture
def problem(jobs):
    return build_problem(jobs, transfers=RATES, local_slots=1).placement


@pytest.fixture
def plan(jobs):
    return plan_jobs(jobs, transfers=RATES, objective=Objective.COST, local_slots=1, clock=lambda: 0.0)


def changed(plan, job, **fields):
    placements = tuple(replace(one, **fields) if one.job == job else one for one in plan.placements)
    return replace(plan, placements=placements)


def faults(plan, problem):
    with pytest.raises(InternalError) as caught:
        verify_plan(plan, problem)
    return caught.value.message


def test_a_right_plan_passes(plan, problem):
    verify_plan(plan, problem)
    assert plan.placement("a").offering.provider == "aws"  # moving 2 GB there would cost more than the machine


def test_a_missing_job_is_named(plan, problem):
    assert "it places ['a', 'b']" in faults(replace(plan, placements=plan.placements[:2]), problem)


def test_a_job_placed_twice_is_named(plan, problem):
    assert "it places ['a', 'b', 'c', 'c']" in faults(
        replace(plan, placements=(*plan.placements, plan.placement("c"))), problem
    )


def test_an_offering_that_is_no_candidate_is_named(plan, problem):
    cheaper = replace(plan.placement("c").offering, price_usd_per_hour=0.01)
    assert "which is none of its candidates" in faults(changed(plan, "c", offering=cheaper), problem)


@pytest.mark.parametrize(
    ("job", "fields", "message"),
    [
        ("b", {"duration_seconds": 90.0}, "job 'b' lasts 90.0 s, not 100.0 s"),
        ("c", {"compute_usd": 0.001}, "job 'c' costs $0.001"),
        ("b", {"start_seconds": -1.0}, "job 'b' starts at -1.0 s"),
        ("b", {"start_seconds": float("nan")}, "job 'b' starts at nan s"),
        ("c", {"inputs": ()}, "job 'c' takes other inputs than its needs"),
        ("c", {"start_seconds": 100.0}, "job 'c' starts at 100.0 s, before the data of 'a' arrives"),
        ("c", {"start_seconds": 500.0, "compute_usd": 5.0}, "its cost is"),
    ],
)
def test_a_wrong_figure_is_named(plan, problem, job, fields, message):
    assert message in faults(changed(plan, job, **fields), problem)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("usd", 0.5, "job 'c' pays $0.5"), ("seconds", 0.0, "waits 0.0 s"), ("gigabytes", 1.0, "other inputs")],
)
def test_a_wrong_transfer_is_named(plan, problem, field, value, message):
    [transfer] = plan.placement("c").inputs
    assert message in faults(changed(plan, "c", inputs=(replace(transfer, **{field: value}),)), problem)


def test_more_jobs_than_slots_are_named(jobs, make_offering):
    host = make_offering(LOCAL_PLACE, "this-machine", 0.0)
    local = [replace(job, candidates=(host,)) for job in jobs[:2]]
    plan = plan_jobs(local, transfers=RATES, objective=Objective.COST, local_slots=1, clock=lambda: 0.0)
    local_problem = build_problem(local, transfers=RATES, local_slots=1).placement
    assert re.search(
        r"2 units of slots of this machine are taken up at 0.0 s where there are 1",
        faults(changed(plan, "b", start_seconds=0.0), local_problem),
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": 9.0}, "not 9.0"),
        ({"bound": 9.0}, "is below the proven bound 9.0"),
        ({"bound": 0.0}, "its status is optimal with a gap of 1.0"),
    ],
)
def test_a_wrong_proof_is_named(plan, problem, fields, message):
    assert message in faults(replace(plan, proof=replace(plan.proof, **fields)), problem)


def test_modesty_is_wrong_too(plan, problem):
    assert "its status is feasible" in faults(replace(plan, status=PlanStatus.FEASIBLE), problem)
