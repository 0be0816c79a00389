"""Plans under other weights, and prices against carbon, with the tables that ship."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from skyflow.app.market.catalog import Filters, open_catalog
from skyflow.app.planning.explore import Explorer, workflow_files
from skyflow.app.planning.price_map import price_map
from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.model.layout import StateFolder
from skyflow.model.objective import Objective
from skyflow.model.plan_view import Weights
from skyflow.report.page.plans import goal_yaml
from skyflow.spec import load_workflow

NOW = datetime(2026, 11, 1, tzinfo=UTC)
WORKFLOW = """\
name: choice
on: push
jobs:
  train:
    runs-on: sky
    resources: {cpus: 16+, memory: 32+}
    estimate: {duration: 4h, on: {p4d: 1h}}
    steps: [{run: 'true'}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "choice.yml").write_text(WORKFLOW)
    (tmp_path / "workflows" / "notes.yml").write_text("no: workflow\n")
    (tmp_path / "here.yml").write_text("on: push\njobs:\n  a: {runs-on: local, steps: [{run: x}]}\n")
    return Project(tmp_path, StateFolder(tmp_path / ".skyflow" / "state.db"))


def plan_for(project: Project, **weights: int):
    wanted = Weights(**{"cost": 0, "time": 0, "carbon": 0, **weights}) if weights else None
    return Explorer(project).of_file("workflows/choice.yml", wanted, with_frontier=False)


def test_weights_move_the_plan_between_what_each_alone_would_choose(project) -> None:
    cheapest, fastest = plan_for(project, cost=100).diff.new, plan_for(project, time=100).diff.new
    cleanest = plan_for(project, carbon=100).diff.new
    assert cheapest.cost.total_usd < fastest.cost.total_usd
    assert fastest.makespan_seconds < cheapest.makespan_seconds
    assert cleanest.known_carbon_grams < cheapest.known_carbon_grams
    both = plan_for(project, cost=100, time=100, carbon=1).diff.new
    for plan in (cheapest, fastest, cleanest):
        assert both.value <= both.goal.value(
            usd=plan.cost.total_usd, grams=plan.known_carbon_grams, seconds=plan.makespan_seconds
        ) * (1 + 1e-9)


def test_without_weights_it_is_the_plan_of_the_workflow_and_the_sliders_stand_where_it_says(project) -> None:
    found = plan_for(project)
    assert found.goal.objective is Objective.COST
    assert found.diff.changes == ()
    assert (found.weights.cost, found.weights.time, found.weights.carbon) == (100, 0, 0)
    assert found.has_choice


@pytest.mark.parametrize(
    "weights",
    [{"cost": 100}, {"time": 1}, {"carbon": 50}, {"cost": 3, "time": 100}, {"time": 9, "carbon": 7},
     {"cost": 50, "time": 20, "carbon": 100}],
)  # fmt: skip
def test_the_goal_that_is_shown_is_what_a_workflow_has_to_say(project, weights: dict[str, int]) -> None:
    found = plan_for(project, **weights)
    read = load_workflow("w.yml", text=f"{goal_yaml(found.goal)}\n{WORKFLOW}").workflow.plan.goal
    assert read.usd == pytest.approx(found.goal.usd)
    assert read.grams == pytest.approx(found.goal.grams)
    assert read.seconds == pytest.approx(found.goal.seconds)
    back = Weights.of(found.goal, plan_for(project, cost=1).diff.new)
    most = max(weights.values())
    assert [back.cost, back.time, back.carbon] == [
        pytest.approx(100 * weights.get(name, 0) / most, abs=2) for name in ("cost", "time", "carbon")
    ]


def test_the_frontier_has_the_cheapest_and_the_fastest_and_is_kept(project) -> None:
    explorer = Explorer(project)
    first = explorer.of_file("workflows/choice.yml", None, with_frontier=True)
    assert len(first.frontier) >= 3
    again = explorer.of_file("workflows/choice.yml", Weights(cost=0, time=1, carbon=0), with_frontier=False)
    assert again.frontier is first.frontier


def test_only_workflow_files_of_the_project_are_read(project) -> None:
    assert workflow_files(project.root) == ["here.yml", "workflows/choice.yml"]
    for name in ("workflows/notes.yml", "../secret.yml", "/etc/passwd", ""):
        with pytest.raises(UsageError, match="there is no workflow file"):
            Explorer(project).of_file(name, None, with_frontier=False)


def test_a_file_that_has_changed_is_planned_anew(project) -> None:
    explorer = Explorer(project)
    before = explorer.of_file("here.yml", None, with_frontier=False)
    assert not before.has_choice
    (project.root / "here.yml").write_text("on: push\njobs:\n  b: {runs-on: local, steps: [{run: x}]}\n")
    after = explorer.of_file("here.yml", None, with_frontier=False)
    assert [one.job for one in after.diff.new.placements] == ["b"]


def test_the_map_has_the_cheapest_machine_of_every_region_and_says_which_none_beats(project) -> None:
    offers = price_map(open_catalog(project), Filters(accelerators=("A100:1",)))
    assert len({(one.offering.provider, one.offering.region) for one in offers}) == len(offers) > 5
    prices = [one.offering.price_usd_per_hour for one in offers]
    assert prices == sorted(prices)
    best = [one for one in offers if one.is_undominated]
    assert best[0] is offers[0]
    grams = [one.grams_per_hour for one in best]
    assert grams == sorted(grams, reverse=True)
    assert min(one.grams_per_hour for one in offers if one.grams_per_hour is not None) == grams[-1]
