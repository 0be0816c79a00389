"""A run as JUnit XML, which CI systems show as test results: a job is a test suite, a step of its last attempt a test case."""

import re
from collections.abc import Callable
from io import BytesIO

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from skyflow.model.execution import StepRef
from skyflow.model.history import RunHistory
from skyflow.model.run import JobRecord, StepRecord
from skyflow.model.status import Conclusion
from skyflow.report.words import reason_text, verdict_text

__all__ = ["TailOf", "to_junit"]

TailOf = Callable[[StepRef], str]
"""Returns the last lines of what a step printed."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")


def to_junit(history: RunHistory, *, tail_of: TailOf) -> bytes:
    """Return the document.

    A step that failed is a failure; one that was allowed to, or whose job was, passes. What was skipped or cancelled is skipped. Of a job that
    failed although none of its steps did, as one whose matrix could not be evaluated, the job itself is an error. Jobs that
    only call a workflow are left out: those of the workflow are there.
    """
    run = history.overview.run
    document = JUnitXml(_clean(run.title))
    callers = {job.key.rpartition("/")[0] for job in history.jobs}
    for job in (job for job in history.jobs if job.key not in callers):
        document.add_testsuite(_suite(history, job, tail_of))
    document.update_statistics()  # type: ignore[no-untyped-call]
    if run.started_at is not None and run.completed_at is not None:
        document.time = (run.completed_at - run.started_at).total_seconds()
    stream = BytesIO()
    document.write(stream, pretty=True)
    return stream.getvalue()


def _suite(history: RunHistory, job: JobRecord, tail_of: TailOf) -> TestSuite:
    suite = TestSuite(_clean(job.name))
    suite.timestamp = (job.started_at or job.queued_at).isoformat(timespec="seconds")
    attempts = history.attempts_of(job.key)
    suite.add_property("run", str(history.overview.run.number))
    if len(attempts) > 1:
        suite.add_property("attempts", str(len(attempts)))
    steps = history.steps_of(job.key, attempts[-1].number) if attempts else ()
    for step in steps:
        suite.add_testcase(_case(job, step, tail_of))
    has_failed_step = any(step.conclusion is Conclusion.FAILURE for step in steps)
    if not steps or (job.outcome is Conclusion.FAILURE and not has_failed_step):
        suite.add_testcase(_case_of_job(job))
    return suite


def _case(job: JobRecord, step: StepRecord, tail_of: TailOf) -> TestCase:
    case = TestCase(_clean(f"{step.position} {step.name}"), classname=_clean(job.name))
    if step.started_at is not None and step.completed_at is not None:
        case.time = (step.completed_at - step.started_at).total_seconds()
    why = reason_text(step.reason, step.message) or verdict_text(step.outcome, step.conclusion, step.status)
    tail = _clean(tail_of(StepRef(step.job_key, step.attempt, step.position)))
    if step.conclusion is Conclusion.FAILURE and job.conclusion is not Conclusion.SUCCESS:
        failure = Failure(_clean(why), step.reason)
        failure.text = tail
        case.result = [failure]
    elif step.outcome is Conclusion.FAILURE:
        case.system_out = f"failure, which is allowed: {_clean(why)}\n{tail}"
    elif step.conclusion is not Conclusion.SUCCESS:
        case.result = [Skipped(_clean(why))]
    return case


def _case_of_job(job: JobRecord) -> TestCase:
    """Return a test case for a job without steps to show."""
    case = TestCase(_clean(job.name), classname=_clean(job.name))
    if job.started_at is not None and job.completed_at is not None:
        case.time = (job.completed_at - job.started_at).total_seconds()
    why = _clean(reason_text(job.reason, job.message))
    if job.conclusion is Conclusion.FAILURE:
        case.result = [Error(why, job.reason)]
    elif job.conclusion is not Conclusion.SUCCESS:
        case.result = [Skipped(why or job.status.value)]
    return case


def _clean(text: str) -> str:
    """Return text without what XML cannot carry."""
    return _NOT_XML.sub("", _ESCAPES.sub("", text))
