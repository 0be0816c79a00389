"""`skyflow replan`, `plan --diff` and `estimate: history`: what earlier runs know."""

import json
from datetime import timedelta

import pytest

from skyflow.app.clock import SystemClock
from skyflow.app.planning.plan import PlanOptions, plan_workflow, prepare_planning
from skyflow.app.planning.replan import adopt_plan, named_plan, replan_run
from skyflow.app.project import find_project
from skyflow.app.showing.history import read_run
from skyflow.app.showing.run_plans import plans_of_run
from skyflow.errors import UsageError
from skyflow.model.layout import StateFolder
from skyflow.model.run import NewRun, RunId, Transition
from skyflow.model.status import Conclusion, Entity, Status
from skyflow.spec import load_workflow
from skyflow.store.lease import hold_lease
from skyflow.store.store import open_store

NOW = SystemClock().now()
TEXT = """\
on: push
jobs:
  prepare: {runs-on: [aws, gcp], resources: {cpus: 4+}, estimate: 1h, steps: [{run: x}]}
  train: {needs: prepare, runs-on: [aws, gcp], resources: {cpus: 8+}, estimate: 2h, data: {prepare: 5GB}, steps: [{run: x}]}
  report: {needs: train, runs-on: [aws, gcp], resources: {cpus: 4+}, estimate: history, steps: [{run: x}]}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / ".skyflow").mkdir()
    monkeypatch.chdir(tmp_path)
    return find_project()


def move(entity, new, *, key=None, attempt=None, position=None, old=None, conclusion=None, reason=None, **data):
    return Transition(
        entity=entity, new=new, job_key=key, attempt=attempt, position=position, old=old, conclusion=conclusion,
        reason=reason, data=data,
    )  # fmt: skip


def started(project, *, report_takes=None, number=1, text=TEXT, **planning):
    """A run under way: `prepare` has ended, `train` has run for half an hour; or all has ended."""
    workflow = load_workflow("w.yml", text=text).workflow
    plan = plan_workflow(workflow, slots=2, project=project, **planning)
    new = NewRun(
        id=RunId(f"run-{number}"), workflow_name="w", workflow_path="w.yml", workflow_source=text, callee_sources={},
        contexts={}, plan=plan.to_json(), slots=2, secret_names=(),
    )  # fmt: skip
    with open_store(StateFolder(project.state.database)) as store:
        store.create_run(new, NOW - timedelta(hours=2))
        begin = [move(Entity.RUN, Status.IN_PROGRESS, old=Status.QUEUED)]
        store.record(new.id, begin, NOW - timedelta(hours=2))
        ended = (
            {"prepare": (90, 30)} if report_takes is None else {"prepare": (90, 30), "report": (20, 20 - report_takes)}
        )
        for key, (since, until) in ended.items():
            began, rented = NOW - timedelta(minutes=since), timedelta(minutes=3 if key == "report" else 0)
            run_job(store, new.id, key, began - rented, NOW - timedelta(minutes=until), has_machine_at=began)
        if report_takes is None:
            run_job(store, new.id, "train", NOW - timedelta(minutes=30), None)
    return plan


def run_job(store, run_id, key, since, until, *, has_machine_at=None):
    job = {"spec_id": key, "leg_index": 0, "leg_total": 1, "name": key, "matrix": None, "max_parallel": None,
           "fail_fast": True, "continue_on_error": False, "concurrency_group": None}  # fmt: skip
    store.record(run_id, [move(Entity.JOB, Status.QUEUED, key=key, **job)], since)
    store.record(
        run_id,
        [
            move(Entity.JOB, Status.IN_PROGRESS, key=key, old=Status.QUEUED),
            move(Entity.ATTEMPT, Status.IN_PROGRESS, key=key, attempt=1),
        ],
        since,
    )
    if has_machine_at is not None:
        setup = {"entity": Entity.STEP, "key": key, "attempt": 1, "position": 0}
        begin = [
            move(**setup, new=Status.PENDING, name="Set up job"),
            move(**setup, new=Status.IN_PROGRESS, old=Status.PENDING),
        ]
        store.record(run_id, begin, since)
        success = {"conclusion": Conclusion.SUCCESS, "outcome": "success", "exit_code": 0}
        end = move(**setup, new=Status.COMPLETED, old=Status.IN_PROGRESS, **success)
        store.record(run_id, [end], has_machine_at)
    if until is not None:
        done = {"conclusion": Conclusion.SUCCESS}
        store.record(
            run_id,
            [
                move(Entity.ATTEMPT, Status.COMPLETED, key=key, attempt=1, old=Status.IN_PROGRESS, **done),
                move(
                    Entity.JOB, Status.COMPLETED, key=key, old=Status.IN_PROGRESS, outputs={}, outcome="success", **done
                ),
            ],
            until,
        )


def test_the_rest_of_a_run_is_planned_anew(project):
    old = started(project)
    same = replan_run("1", project=project, now=NOW)
    assert same.changes == ()
    assert same.new.placement("prepare").duration_seconds == 0.0
    assert same.new.placement("train").duration_seconds == pytest.approx(5400 + 40, abs=1)
    lost = old.placement("report").offering.id
    found = replan_run("latest", project=project, now=NOW, lost=[lost])
    assert [change.job for change in found.changes] == ["report"]
    assert found.new.placement("report").offering.id != lost
    with pytest.raises(UsageError, match="'moon' names no offering"):
        replan_run("1", project=project, now=NOW, lost=["moon"])
    with pytest.raises(UsageError):
        replan_run("99", project=project, now=NOW)


def test_a_run_is_given_another_plan_and_its_jobs_keep_the_one_they_began_by(project):
    old = started(project)
    lost = old.placement("report").offering.id
    new = replan_run("1", project=project, now=NOW, lost=[lost]).new
    adopt_plan("1", new, project=project, now=NOW, why="because")
    assert named_plan("1", project).placement("report").offering.id != lost
    history = read_run(project, "1")
    plans = plans_of_run(history)
    assert [(one.why, [change.job for change in one.diff.changes]) for one in plans.replacements] == [
        ("because", ["report"])
    ]
    placed = plans.placements(history)
    assert placed["prepare"] == old.placement("prepare")
    assert placed["report"] == new.placement("report")
    starts = plans.starts(history, placed)
    assert starts["prepare"] == history.overview.run.started_at
    later = timedelta(seconds=new.placement("report").start_seconds)
    assert starts["report"] == plans.replacements[0].at + later, "a plan counts from when it was made"


def test_a_run_that_is_driven_keeps_its_plan(project):
    old = started(project)
    folder = project.state.run(RunId("run-1"))
    with hold_lease(folder), pytest.raises(UsageError, match="is under way"):
        adopt_plan("1", old, project=project, now=NOW, why="because")


def test_a_plan_is_found_by_run_and_by_file(project, tmp_path):
    old = started(project)
    assert named_plan("1", project) == old
    (tmp_path / "plan.json").write_text(json.dumps(old.to_json()))
    assert named_plan("plan.json", project) == old
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(UsageError, match=r"broken.json has no plan that can be read"):
        named_plan("broken.json", project)


def test_earlier_runs_estimate(project):
    workflow = load_workflow("w.yml", text=TEXT).workflow
    planning = prepare_planning(workflow, options=PlanOptions(slots=2), project=project)
    assert planning.plan().placement("report").duration_source == "assumed"
    for number, minutes in enumerate((4, 5, 9), start=1):
        started(project, report_takes=minutes, number=number)
    placement = plan_workflow(workflow, slots=2, project=project).placement("report")
    without_start = placement.duration_seconds - placement.startup_seconds
    assert without_start == pytest.approx(300, abs=1), "the three minutes until there was a machine do not count"
    assert placement.duration_source.startswith("median of 3 runs, ±")
    assert not placement.is_duration_assumed


def test_earlier_runs_are_found_however_the_file_is_named(project, tmp_path, monkeypatch):
    started(project, report_takes=7)

    def source(path: str) -> str:
        workflow = load_workflow(path, text=TEXT.replace("runs-on: [aws, gcp]", "runs-on: azure")).workflow
        return plan_workflow(workflow, slots=2, project=project).placement("report").duration_source

    (tmp_path / "sub").mkdir()
    assert source("./w.yml") == source(str(tmp_path / "w.yml")) == "as in 1 run on other machines"
    monkeypatch.chdir(tmp_path / "sub")
    assert project.path_of("w.yml") == "../w.yml"
    assert source("../w.yml") == "as in 1 run on other machines"
    assert source("w.yml") == "assumed", "that is another file"


def test_a_run_that_has_completed_is_not_planned_anew(project):
    started(project, report_takes=1)
    with open_store(project.state) as store:
        store.record(
            RunId("run-1"),
            [move(Entity.RUN, Status.COMPLETED, old=Status.IN_PROGRESS, conclusion=Conclusion.SUCCESS)],
            NOW,
        )
    with pytest.raises(UsageError, match="run 1 has completed"):
        replan_run("1", project=project, now=NOW)


WAITING = "plan: {objective: carbon, wait: 12h}\n" + TEXT


def test_what_is_left_may_wait_as_long_as_the_run_still_may(project):
    started(project, text=WAITING)
    plan = replan_run("latest", project=project, now=NOW).new
    assert plan.begins_at == NOW
    assert all(placed.not_before_seconds <= 10 * 3600 + 1 for placed in plan.placements)  # two hours have gone by
    assert min(plan.moments.values(), default=NOW) >= NOW


def test_a_run_that_was_begun_now_does_not_begin_to_wait(project):
    started(project, text=WAITING, wait_seconds=0)
    assert replan_run("latest", project=project, now=NOW).new.begins_at is None


def test_nothing_may_wait_when_the_time_for_that_is_over(project):
    started(project, text=WAITING.replace("12h", "1h"))
    assert not replan_run("latest", project=project, now=NOW).new.moments
