"""The plan table at every width."""

from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from offerings import A100, HOST, offering
from rich.console import Console

from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof, Transfer, Waiting
from skyflow.report.plan_table import render_plan

CPU = offering(
    "azure", "westeurope", instance_type="Standard_D8s_v5", vcpus=8, memory_gib=32.0, price_usd_per_hour=0.46,
    price_date=date(2026, 6, 18),
)  # fmt: skip


def plan_text(plan: Plan, *, width: int = 100) -> str:
    """Return the same as plain text, at most `width` columns wide."""
    file = StringIO()
    Console(file=file, width=width, color_system=None, force_terminal=False, highlight=False).print(render_plan(plan))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def placed(job, offering, *, start=0.0, seconds=60.0, inputs=(), assumed=False):
    return Placement(
        job=job,
        offering=offering,
        inputs=inputs,
        duration_seconds=seconds,
        is_duration_assumed=assumed,
        start_seconds=start,
        compute_usd=offering.price_usd_per_hour * seconds / 3600,
    )


PLACEMENTS = (
    placed("fetch", HOST, assumed=True),
    placed("test (3.12, ubuntu-latest)", CPU, start=60.0, seconds=3600.0),
    placed(
        "train",
        A100,
        start=3700.0,
        seconds=36000.0,
        inputs=(Transfer(from_job="test (3.12, ubuntu-latest)", gigabytes=50.0, usd=4.35, seconds=40.0),),
    ),
)
PLAN = Plan(
    objective=Objective.COST,
    status=PlanStatus.OPTIMAL,
    placements=PLACEMENTS,
    proof=Proof(value=24.0902, bound=24.0902, method="cbc", seconds=0.1),
    local_slots=2,
    notes=("1 of 3 jobs lacks an estimate: 1m 00s assumed",),
)


def test_the_table_reads_well():
    assert plan_text(PLAN, width=110) == (
        "job                        machine                   where                 start     time    cost"
        "      data in\n"
        "fetch                      this machine                                       0s  ~1m 00s      $0\n"
        "test (3.12,                azure Standard_D8s_v5     westeurope          +1m 00s   1h 00m   $0.46\n"
        "ubuntu-latest)\n"
        "train                      gcp a2-highgpu-1g A100:1  us-central1-a spot  +1h 01m  10h 00m  $19.28"
        "  50 GB $4.35\n"
        "\n"
        "cost $24.09 ($19.74 machines + $4.35 data), makespan 11h 01m; optimal for cost\n"
        "prices of 2026-06-18 to 2026-08-03\n"
        "1 of 3 jobs lacks an estimate: 1m 00s assumed\n"
    )


@pytest.mark.parametrize("width", [60, 71, 80, 89, 90, 120, 200])
def test_it_fits_any_width_and_loses_nothing(width):
    text = plan_text(PLAN, width=width)
    assert max(map(len, text.splitlines())) <= width
    squeezed = "".join(text.split())
    for word in ("fetch", "ubuntu-latest", "train", "$19.28", "10h00m", "$24.09", "optimalforcost"):
        assert word in squeezed


def test_a_local_plan_needs_no_column_for_places_and_no_dates():
    text = plan_text(replace(PLAN, placements=PLACEMENTS[:1], notes=()), width=110)
    assert text.splitlines()[0].split() == ["job", "machine", "start", "time", "cost"]
    assert "prices" not in text


def test_an_unproven_plan_says_what_could_be_saved():
    plan = replace(PLAN, status=PlanStatus.FEASIBLE, proof=replace(PLAN.proof, bound=20.0))
    assert "feasible, at most 17.0% of the cost to save" in plan_text(plan, width=120)


def test_a_plan_without_jobs_is_shown():
    text = plan_text(replace(PLAN, placements=(), notes=()))
    assert "cost $0, makespan 0" in text


def test_text_that_looks_like_markup_is_left_alone():
    assert "[bold]x[/bold]" in plan_text(replace(PLAN, placements=(placed("[bold]x[/bold]", HOST),)))


def test_there_is_no_colour_off_a_terminal():
    file = StringIO()
    Console(file=file, width=100).print(render_plan(PLAN))
    assert "\x1b" not in file.getvalue()


def test_there_is_colour_on_a_terminal():
    file = StringIO()
    Console(file=file, width=100, force_terminal=True, color_system="standard", _environ={}).print(render_plan(PLAN))
    assert "\x1b[" in file.getvalue()


def test_jobs_that_share_a_machine_are_marked():
    shared = (
        replace(placed("build", CPU), machine="m1"),
        replace(placed("test", CPU, start=60.0), machine="m1"),
        replace(placed("train", A100), machine="m2"),
    )
    lines = plan_text(replace(PLAN, placements=shared), width=110).splitlines()
    assert [line.split()[3] for line in lines[1:4]] == ["(m1)", "(m1)", "A100:1"]
    assert any("share a machine" in line for line in lines)


def test_what_waiting_saves_is_said():
    waits = (replace(placed("train", CPU, start=7200.0), not_before_seconds=7200.0),)
    saved = Waiting(saved_grams=1500.0, saved_usd=0.0, later_seconds=3600.0)
    begins_at = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
    text = plan_text(replace(PLAN, placements=waits, begins_at=begins_at, waiting=saved), width=140)
    assert "1 job waits for cleaner power: 1.5 kg CO2e less, and the run ends 1h 00m later" in text
    assert "hours count from 2026-07-01 08:30 UTC" in text
