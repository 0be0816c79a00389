"""What skyflow is made for at most, as far as that is cheap to try; `tests/bench/limits.py` tries all of it for real."""

from datetime import UTC, datetime, timedelta

import pytest

from skyflow.app.planning.plan import plan_workflow
from skyflow.model.run import NewRun, RunId, RunOptions
from skyflow.spec import load_workflow
from skyflow.store import maintenance
from skyflow.testing.world import Nature
from skyflow.testing.world_drive import drive_in_world, scenario_store

DEPTH, MACHINES, RUNS = 1000, 100, 1000


@pytest.fixture
def store(tmp_path):
    with scenario_store(tmp_path) as store:
        yield store


def drive(store, text: str, *, crashes: tuple[int, ...] = (), preemptions: float = 0.0):
    workflow = load_workflow("w.yml", text=text).workflow
    return drive_in_world(
        store,
        workflow,
        plan_workflow(workflow, slots=2),
        run_id=RunId("limits"),
        seed="limits",
        nature=Nature(spread=0.0, preemptions_per_hour=preemptions),
        options=RunOptions(),
        crashes=crashes,
    )


def test_a_chain_as_deep_as_that_is_planned_run_and_resumed(store) -> None:
    jobs = "".join(
        f"  j{i}: {{{f'needs: j{i - 1}, ' if i else ''}runs-on: local, steps: [{{run: x}}]}}\n" for i in range(DEPTH)
    )
    ended = drive(store, f"on: push\njobs:\n{jobs}", crashes=(DEPTH,))
    assert ended.crashes == 1
    assert ended.run.conclusion == "success"
    assert len(ended.world.starts) == DEPTH


def test_as_many_machines_at_once_are_had_lost_and_given_back(store) -> None:
    legs = list(range(MACHINES))
    text = (
        f"on: push\njobs:\n  a:\n    strategy: {{matrix: {{n: {legs}}}}}\n    runs-on: aws\n    estimate: 1h\n"
        "    resources: {cpus: 2, market: spot}\n    steps: [{run: x}]\n"
    )
    ended = drive(store, text, preemptions=0.5)
    assert ended.run.conclusion == "success"
    assert ended.world.preemptions > 0
    assert sum(number == 1 for _, number in ended.world.machines) == MACHINES
    assert not ended.world.running_machines()


def test_as_many_runs_are_listed_checked_and_forgotten(store) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(RUNS):
        new = NewRun(
            id=RunId(f"run-{number:04}"),
            workflow_name="w",
            workflow_path="w.yml",
            workflow_source="",
            callee_sources={},
            contexts={},
            plan=None,
            slots=1,
            options=RunOptions(),
        )
        store.create_run(new, began + timedelta(minutes=number))
    assert [run.number for run in store.latest_runs(3)] == [RUNS, RUNS - 1, RUNS - 2]
    assert store.find_run("17").id == "run-0016"
    assert maintenance.check(store) == ()
    maintenance.forget_runs(store, [run.id for run in store.latest_runs(-1)])
    assert store.latest_runs(-1) == []
