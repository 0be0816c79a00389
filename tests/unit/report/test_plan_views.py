"""What is said about a plan beside the plan itself."""

from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree as ET

import pytest
from offerings import offering
from rich.console import Console

from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus, Proof
from skyflow.model.plan_view import Alternative, Change, Comparison, Explanation, LimitCost, PlanDiff
from skyflow.model.resources import Market
from skyflow.report.frontier_svg import frontier_svg
from skyflow.report.plan_views import render_comparisons, render_diff, render_explanations, render_frontier


def placed(where, *, seconds=3600.0, usd=1.0):
    return Placement(
        job="train", offering=where, inputs=(), duration_seconds=seconds, is_duration_assumed=False, start_seconds=0.0,
        compute_usd=usd, duration_source="given",
    )  # fmt: skip


def plan_with(placement, *, bound=None):
    value = placement.compute_usd
    proof = Proof(value=value, bound=value if bound is None else bound, method="bounds", seconds=0.1)
    status = PlanStatus.OPTIMAL if bound is None else PlanStatus.FEASIBLE
    return Plan(objective=Objective.COST, status=status, placements=(placement,), proof=proof, local_slots=2)


AWS, GCP = offering("aws", "us-east-1"), offering("gcp", "us-west1", market=Market.SPOT)


def text(renderable):
    file = StringIO()
    Console(file=file, width=100, color_system=None).print(renderable)
    return file.getvalue()


def test_an_explanation_shows_the_best_of_every_cloud():
    def alternative(where, more, misses=()):
        return Alternative(
            offering=where, more_value=more, more_usd=more, more_seconds=-60.0, more_grams=0.0, misses=misses
        )

    many = [alternative(offering("aws", f"r{n}"), 0.1 * n) for n in range(9)]
    one = Explanation(
        placement=placed(AWS), candidates=11, alternatives=(*many, alternative(GCP, 5.0, misses=("seconds",)))
    )
    shown = text(
        render_explanations(
            [one], [LimitCost(name="usd", saved_value=1.0, saved_usd=2.5, saved_seconds=-60.0, saved_grams=0.0)]
        )
    )
    assert "train runs on aws m6i.xlarge us-east-1, of 11 candidates; 1h 00m, given" in shown
    assert "gcp m6i.xlarge us-west1 spot  +$5.00   -1m 00s  misses the deadline" in shown
    assert shown.count("aws m6i.xlarge r") == 5
    assert "without the budget: -$2.50, +1m 00s" in shown


def test_alike_combinations_are_explained_once_and_emissions_where_they_count():
    def one(job, grams):
        other = Alternative(offering=GCP, more_value=1.0, more_usd=1.0, more_seconds=0.2, more_grams=grams, misses=())
        return Explanation(placement=replace(placed(AWS), job=job), candidates=2, alternatives=(other,))

    jobs = [one("train.0", 12.0), one("train.1", 12.0), one("train.2", 12.0), one("train.3", 50.0), one("test.0", 50.0)]
    shown = text(render_explanations(jobs, [], has_carbon=True))
    assert "train.0 to train.2 run on aws m6i.xlarge us-east-1, of 2 candidates; 1h 00m, given" in shown
    assert "train.3 runs on" in shown
    assert "test.0 runs on" in shown
    assert "gcp m6i.xlarge us-west1 spot  +$1.00      same   +12 g" in shown


def test_a_job_without_a_choice_says_so():
    one = Explanation(placement=placed(AWS), candidates=1, alternatives=())
    shown = text(
        render_explanations(
            [one], [LimitCost(name="slots", saved_value=0.0, saved_usd=0.0, saved_seconds=0.0, saved_grams=0.0)]
        )
    )
    assert "train can run only on aws m6i.xlarge us-east-1" in shown
    assert "instead" not in shown
    assert "the slots cost nothing" in shown


def test_comparisons_and_frontiers_are_lines():
    cheap, dear = plan_with(placed(AWS)), plan_with(placed(GCP, usd=3.0, seconds=60.0), bound=2.0)
    shown = text(
        render_comparisons([Comparison(name="this plan", plan=cheap), Comparison(name="other", plan=dear),
                            Comparison(name="none", plan=None)])
    )  # fmt: skip
    assert "3.00 times the cost" in shown
    assert "not possible" in shown
    assert "at most 33.3% to save" in text(render_frontier([cheap, dear]))


def test_a_diff_names_what_moved():
    old, new = plan_with(placed(AWS)), plan_with(placed(GCP, usd=3.0))
    found = PlanDiff(old=old, new=new, changes=(Change(job="train", old=old.placements[0], new=new.placements[0]),))
    shown = text(render_diff(found))
    assert "train  aws m6i.xlarge us-east-1  gcp m6i.xlarge us-west1 spot  +$2.00" in shown
    assert "cost +$2.00, makespan same" in shown
    assert "all others" not in shown
    assert "every job runs where it did" in text(render_diff(PlanDiff(old=old, new=old, changes=())))


def test_the_costs_of_a_diff_add_up():
    stays = replace(placed(AWS), job="test")
    old = replace(plan_with(placed(AWS)), placements=(placed(AWS), stays))
    new = replace(old, placements=(placed(GCP, usd=3.0), replace(stays, compute_usd=0.75)))
    moved = Change(job="train", old=old.placements[0], new=new.placements[0])
    shown = text(render_diff(PlanDiff(old=old, new=new, changes=(moved,))))
    assert [line.split()[-1] for line in shown.splitlines()[1:3]] == ["+$2.00", "-$0.25"]
    assert "cost +$1.75" in shown


def test_emissions_are_compared_where_they_are_the_goal():
    cheap = replace(plan_with(placed(AWS)), objective=Objective.CARBON)
    assert "carbon" in text(render_comparisons([Comparison(name="this plan", plan=cheap)]))
    assert "carbon" not in text(render_comparisons([Comparison(name="this plan", plan=plan_with(placed(AWS)))]))


@pytest.mark.parametrize("count", [1, 3])
def test_the_picture_is_one(count):
    plans = [plan_with(placed(AWS, usd=1.0 + n, seconds=3600.0 / (n + 1))) for n in range(count)]
    root = ET.fromstring(frontier_svg(plans))
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == count
    assert all(0 <= float(circle.get("cx")) <= 720 and 0 <= float(circle.get("cy")) <= 400 for circle in circles)
