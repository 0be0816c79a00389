"""What clouds have refused to one run is known to the plan of the next one, with its age."""

from datetime import timedelta

import pytest

from skyflow.app.clock import SystemClock
from skyflow.app.planning.plan import plan_workflow
from skyflow.app.project import Project, find_project
from skyflow.model.blocks import block_after
from skyflow.model.catalog import Offering
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.placement import Plan
from skyflow.model.run import NewRun, RunId
from skyflow.spec import load_workflow
from skyflow.store.blocks import BlockStore
from skyflow.store.store import open_store

EITHER = (
    "runs-on: [aws, gcp], resources: {regions: [us-east-1, us-central1], instance-type: [m6i.large, n2-standard-4]}"
)
ONE = "runs-on: aws, resources: {regions: us-east-1, instance-type: m6i.large}"


@pytest.fixture
def project(tmp_path) -> Project:
    return find_project(state=tmp_path / "state.db")


def planned(project: Project, job: str, plan: str = "") -> Plan:
    text = f"on: push\njobs:\n  a: {{{job}, estimate: 1h, steps: [{{run: x}}]}}\n{plan}"
    return plan_workflow(load_workflow("w.yml", text=text).workflow, project=project)


def refuse(project: Project, offering: Offering, kind: FailureKind, *, minutes_ago: float) -> None:
    """Let a run of the project have been refused an offering."""
    at = SystemClock().now() - timedelta(minutes=minutes_ago)
    with open_store(project.state) as store:
        new = NewRun(
            id=RunId(f"run-{kind}-{minutes_ago}"), workflow_name="w", workflow_path="w.yml", workflow_source="",
            callee_sources={}, contexts={}, plan=None, slots=1, secret_names=(),
        )  # fmt: skip
        store.create_run(new, at)
        BlockStore(store, new.id).remember(block_after(offering, kind, Scope.REGION, at))


def place(plan: Plan) -> str:
    return plan.placement("a").offering.provider


def test_what_was_refused_lately_is_left_out_and_said(project) -> None:
    best = planned(project, EITHER)
    assert (place(best), best.notes) == ("aws", ())
    refuse(project, best.placement("a").offering, FailureKind.CAPACITY, minutes_ago=4)
    refuse(project, best.placement("a").offering, FailureKind.CAPACITY, minutes_ago=3)
    plan = planned(project, EITHER)
    assert place(plan) == "gcp"
    [note] = plan.notes
    assert note.startswith("aws/us-east-1 had no m6i.large (on-demand) 3m 0")
    assert "not asked again before " in note


def test_it_is_forgotten_in_time(project) -> None:
    best = planned(project, EITHER)
    refuse(project, best.placement("a").offering, FailureKind.CAPACITY, minutes_ago=16)
    assert planned(project, EITHER) == best


def test_what_somebody_may_have_mended_is_asked_for_again(project) -> None:
    best = planned(project, EITHER)
    for kind in (FailureKind.QUOTA, FailureKind.NO_IMAGE, FailureKind.UNUSABLE):
        refuse(project, best.placement("a").offering, kind, minutes_ago=4)
    assert planned(project, EITHER) == best


def test_a_refusal_of_what_nobody_wants_is_not_mentioned(project) -> None:
    refuse(project, planned(project, EITHER).placement("a").offering, FailureKind.NOT_OFFERED, minutes_ago=4)
    assert planned(project, "runs-on: gcp").notes == ()


def test_where_there_is_nothing_else_it_is_asked_for_again(project) -> None:
    refuse(project, planned(project, ONE).placement("a").offering, FailureKind.CAPACITY, minutes_ago=4)
    plan = planned(project, ONE)
    assert place(plan) == "aws"
    assert plan.notes[0].endswith(" ago: asked again, for there is no plan without it")


def test_where_limits_allow_nothing_else_it_is_asked_for_again(project) -> None:
    best = planned(project, EITHER)
    refuse(project, best.placement("a").offering, FailureKind.CAPACITY, minutes_ago=4)
    plan = planned(project, EITHER, f"plan: {{budget: {best.cost.total_usd * 1.01:.4f}}}")
    assert place(plan) == "aws"
    assert plan.notes[0].endswith(" ago: asked again, for there is no plan without it")
