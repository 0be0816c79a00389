"""`recovery` of a job."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.model.recovery import RecoverySpec, RecoveryStrategy
from skyflow.spec import load_workflow

JOB = "on: push\njobs:\n  a: {runs-on: aws, recovery: SAID, steps: [{run: x}]}\n"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("eager", RecoverySpec(strategy=RecoveryStrategy.EAGER)),
        ("wait", RecoverySpec(strategy=RecoveryStrategy.WAIT)),
        ("{strategy: wait, for: 1h}", RecoverySpec(strategy=RecoveryStrategy.WAIT, wait_seconds=3600.0)),
        ("deadline", RecoverySpec(strategy=RecoveryStrategy.DEADLINE)),
        ("{strategy: deadline}", RecoverySpec(strategy=RecoveryStrategy.DEADLINE)),
        ("{for: 5m}", RecoverySpec(wait_seconds=300.0)),
    ],
)
def test_what_is_right_is_read(said: str, read: RecoverySpec) -> None:
    assert load_workflow("w.yml", text=JOB.replace("SAID", said)).workflow.jobs[0].recovery == read


@pytest.mark.parametrize(
    "said", ["patient", "{strategy: never}", "{for: soon}", "{until: 5m}", "3", "{strategy: deadline, for: 5m}"]
)
def test_what_is_wrong_is_refused(said: str) -> None:
    with pytest.raises(WorkflowInvalidError) as raised:
        load_workflow("w.yml", text=JOB.replace("SAID", said))
    assert raised.value.diagnostics[0].span.line == 3
