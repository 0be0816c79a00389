"""`checkpoint` of a job."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.model.workflow import CheckpointSpec
from skyflow.spec import load_workflow

JOB = "on: push\njobs:\n  a: {runs-on: local, checkpoint: SAID, MORE steps: [{run: x}]}\n"


def job(said: str, more: str = ""):
    return load_workflow("w.yml", text=JOB.replace("SAID", said).replace("MORE", more)).workflow.jobs[0]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("{path: kept}", CheckpointSpec("kept", 600.0)),
        ("{path: ./build/kept/, every: 90s}", CheckpointSpec("build/kept", 90.0)),
    ],
)
def test_what_is_right_is_read(said: str, read: CheckpointSpec) -> None:
    assert job(said).checkpoint == read


def test_the_planner_knows_how_much_is_repeated_unless_the_estimate_says_it() -> None:
    assert job("{path: x, every: 5m}", "estimate: 1h,").estimate.checkpoint_seconds == 300
    own = "estimate: {duration: 1h, checkpoint: 7m},"
    assert job("{path: x, every: 5m}", own).estimate.checkpoint_seconds == 420
    assert job("{path: x, every: 5m}").estimate is None


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("{every: 1m}", "missing key 'path'"),
        ("{path: /tmp/x}", "'/tmp/x' is no path inside of the workspace"),
        ("{path: ../x}", "'../x' is no path inside of the workspace"),
        ("{path: .}", "'.' is no path inside of the workspace"),
        ("{path: x, every: often}", "'often' is not a duration"),
        ("{path: x, ever: 1m}", "did you mean 'every'"),
        ("x", "expected a map such as {path: checkpoints, every: 10m}"),
    ],
)
def test_what_is_wrong_is_said(said: str, message: str) -> None:
    with pytest.raises(WorkflowInvalidError) as caught:
        job(said)
    assert any(message in f"{found} {found.hint}" for found in caught.value.diagnostics)
