"""Progress as lines."""

import io
from datetime import UTC, datetime

from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.plain import PlainReporter

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def lines_of(*, quiet: bool, conclusion: Conclusion) -> list[str]:
    """Return what is written of a job that prints two lines and ends."""
    stream = io.StringIO()
    reporter = PlainReporter(stream, quiet=quiet)
    job = {"job_key": "a", "data": {"name": "a"}}
    step = {"job_key": "a", "attempt": 1, "position": 1}
    failed = conclusion is Conclusion.FAILURE
    how = {
        "conclusion": conclusion, "reason": Reason.EXIT_CODE if failed else None,
        "message": "exit code 3" if failed else None, "data": {"outcome": conclusion.value},
    }  # fmt: skip
    for move in (
        Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, **job),
        Transition(entity=Entity.JOB, old=Status.QUEUED, new=Status.IN_PROGRESS, **job),
        Transition(entity=Entity.STEP, old=None, new=Status.PENDING, data={"name": "Work"}, **step),
        Transition(entity=Entity.STEP, old=Status.PENDING, new=Status.IN_PROGRESS, **step),
    ):
        reporter.moved(move, NOW)
    reporter.output(StepRef("a", 1, 1), "one\ntwo\n")
    ended = {"old": Status.IN_PROGRESS, "new": Status.COMPLETED}
    reporter.moved(Transition(entity=Entity.STEP, **ended, **step, **how), NOW)
    reporter.moved(Transition(entity=Entity.JOB, job_key="a", **ended, **how), NOW)
    return stream.getvalue().splitlines()


def test_quiet_tells_only_of_what_failed_and_why() -> None:
    assert lines_of(quiet=True, conclusion=Conclusion.SUCCESS) == []
    assert lines_of(quiet=True, conclusion=Conclusion.SKIPPED) == []
    assert lines_of(quiet=True, conclusion=Conclusion.FAILURE) == [
        "[a] x Work: exit code 3", "[a] | one", "[a] | two", "[a] x failure: exit code 3 in 0ms"
    ]  # fmt: skip


def test_what_was_shown_already_is_not_shown_again() -> None:
    shown = lines_of(quiet=False, conclusion=Conclusion.FAILURE)
    assert [line for line in shown if line.endswith("two")] == ["[a] | two"]
