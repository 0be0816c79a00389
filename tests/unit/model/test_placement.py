"""Plans: what follows from the placements, and the JSON form."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import jsonschema
import pytest
from offerings import HOST, offering

from skyflow._util.data_files import data_file
from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof, Transfer, Waiting
from skyflow.model.resources import Accelerators, Market

GPU = offering(
    instance_type="g5.xlarge", market=Market.SPOT, accelerators=Accelerators("A10G", 1), price_usd_per_hour=0.41246,
    price_basis="advisor", price_date=date(2025, 6, 28),
)  # fmt: skip
PLAN = Plan(
    objective=Objective.COST,
    status=PlanStatus.FEASIBLE,
    placements=(
        Placement(
            job="prepare",
            offering=HOST,
            inputs=(),
            duration_seconds=60.0,
            is_duration_assumed=True,
            start_seconds=0.0,
            compute_usd=0.0,
        ),
        Placement(
            job="train",
            offering=GPU,
            inputs=(Transfer(from_job="prepare", gigabytes=2.0, usd=0.5, seconds=160.0),),
            duration_seconds=3600.0,
            is_duration_assumed=False,
            start_seconds=3600.0,
            compute_usd=0.41246,
            machine="m1",
            startup_seconds=40.0,
            not_before_seconds=3600.0,
        ),
    ),
    proof=Proof(value=0.91246, bound=0.8, method="cbc", seconds=0.1),
    local_slots=2,
    notes=("1 of 2 jobs lacks an estimate: 1m 00s assumed",),
    begins_at=datetime(2025, 6, 28, 9, tzinfo=UTC),
    waiting=Waiting(saved_grams=120.0, saved_usd=0.0, later_seconds=3380.0),
)


def test_totals_follow_from_the_placements():
    assert PLAN.cost.compute_usd == 0.41246
    assert PLAN.cost.transfer_usd == 0.5
    assert PLAN.cost.total_usd == 0.91246
    assert PLAN.makespan_seconds == 7200.0
    assert PLAN.price_dates == (date(2025, 6, 28),)
    assert PLAN.placement("train").transfer_gb == 2.0


def test_an_unknown_job_has_no_placement():
    with pytest.raises(KeyError):
        PLAN.placement("deploy")


def test_an_empty_plan_costs_nothing_and_ends_at_once():
    plan = replace(PLAN, placements=())
    assert plan.cost.total_usd == 0
    assert plan.makespan_seconds == 0


def test_the_gap_is_a_share_of_the_value():
    assert PLAN.proof.gap == pytest.approx(0.1232, abs=1e-4)
    assert replace(PLAN.proof, bound=PLAN.proof.value).gap == 0
    assert Proof(value=0.0, bound=0.0, method="direct", seconds=0).gap == 0


def test_plans_that_differ_only_in_planning_time_are_equal():
    assert replace(PLAN, proof=replace(PLAN.proof, seconds=9.0)) == PLAN


def test_a_job_that_waits_has_a_moment_to_wait_for():
    assert PLAN.moments == {"train": datetime(2025, 6, 28, 10, tzinfo=UTC)}


def test_a_plan_survives_json():
    assert Plan.from_json(json.loads(json.dumps(PLAN.to_json(), allow_nan=False))) == PLAN


def test_the_json_form_matches_its_schema():
    schema = json.loads(data_file("schemas", "plan.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(PLAN.to_json(), schema, jsonschema.Draft202012Validator)


def test_every_field_of_the_schema_is_described_and_required():
    schema = json.loads(data_file("schemas", "plan.schema.json").read_text(encoding="utf-8"))
    for part in (schema, schema["properties"]["cost"], schema["properties"]["proof"], *schema["$defs"].values()):
        if part.get("type") == "object":
            assert part["description"]
            assert set(part["required"]) == set(part["properties"])


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {**PLAN.to_json(), "format": "skyflow-plan/2"},
        {**PLAN.to_json(), "status": "perfect"},
        {**PLAN.to_json(), "jobs": [{"job": "train"}]},
        {**PLAN.to_json(), "proof": None},
    ],
)
def test_what_is_not_a_plan_is_refused(broken):
    with pytest.raises(ValueError, match="not a plan"):
        Plan.from_json(broken)
