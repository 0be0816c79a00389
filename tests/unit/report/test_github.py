"""What a log of GitHub Actions gets to read."""

import io
from datetime import UTC, datetime

import pytest

from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.github import GithubReporter
from skyflow.report.workflow_commands import annotation_command, guarded

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Log:
    """A reporter, and moves of jobs with one step each."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.stream = io.StringIO()
        self.reporter = GithubReporter(self.stream, token="TOKEN", quiet=quiet)

    def job(self, key: str) -> None:
        self.reporter.moved(
            Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, job_key=key, data={"name": key}), NOW
        )

    def begin(self, key: str) -> None:
        self._step(key, Status.PENDING, Status.IN_PROGRESS, data={"name": f"Step of {key}"})

    def end(self, key: str, conclusion: Conclusion = Conclusion.SUCCESS, **data: object) -> None:
        failed = conclusion is Conclusion.FAILURE
        self._step(
            key,
            Status.IN_PROGRESS,
            Status.COMPLETED,
            conclusion=conclusion,
            reason=Reason.EXIT_CODE if failed else None,
            message="exit code 3" if failed else None,
            data={"outcome": conclusion.value, **data},
        )

    def end_job(self, key: str) -> None:
        self.reporter.moved(
            Transition(
                entity=Entity.JOB,
                old=Status.IN_PROGRESS,
                new=Status.COMPLETED,
                job_key=key,
                conclusion=Conclusion.SUCCESS,
                data={"outcome": "success"},
            ),
            NOW,
        )

    def output(self, key: str, text: str) -> None:
        self.reporter.output(StepRef(key, 1, 1), text)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()

    def _step(self, key: str, old: Status, new: Status, **more) -> None:
        self.reporter.moved(
            Transition(entity=Entity.STEP, old=old, new=new, job_key=key, attempt=1, position=1, **more), NOW
        )


def test_a_step_is_a_group_with_its_annotations() -> None:
    log = Log()
    log.job("a")
    log.begin("a")
    log.output("a", "##[group]Inner\nhello\n")
    error = Annotation(level=AnnotationLevel.ERROR, message="50 %\nbad", file="a,b.py", line=3, column=5, code="E1")
    log.end("a", Conclusion.FAILURE, annotations=[error.to_json()])
    assert log.lines == [
        "::group::a: Step of a",
        "- Inner",
        "  hello",
        "::error file=a%2Cb.py,line=3,col=5,title=a%3A Step of a::50 %25%0Abad (E1)",
        "::endgroup::",
        "::error title=a%3A Step of a::exit code 3",
    ]


def test_steps_that_run_at_once_come_one_after_the_other() -> None:
    log = Log()
    for key in ("a", "b", "c"):
        log.job(key)
        log.begin(key)
    log.output("a", "a1\n")
    log.output("b", "b1\n")
    log.output("c", "c1\n")
    assert log.lines == ["::group::a: Step of a", "a1"], "one of them is shown as it goes"
    log.end("c")
    log.end_job("c")
    log.output("a", "a2\n")
    log.end("a")
    assert log.lines[2:] == [
        "a2", "::endgroup::", "::group::c: Step of c", "c1", "::endgroup::", "[c] + success",
        "::group::b: Step of b", "b1",
    ]  # fmt: skip
    log.output("b", "b2\n")
    log.end("b")
    assert log.lines[-2:] == ["b2", "::endgroup::"]


def test_much_output_is_kept_aside_whole() -> None:
    log = Log()
    for key in ("a", "b"):
        log.job(key)
        log.begin(key)
    text = "x" * 99 + "\n"
    for _ in range(30_000):
        log.output("b", text)
    log.end("a")
    log.end("b")
    assert log.lines.count("x" * 99) == 30_000


def test_what_steps_print_is_no_command_for_github() -> None:
    log = Log()
    log.job("a")
    log.begin("a")
    log.output("a", "::error::x\n")
    log.output("a", "said ##[error]x\n")
    assert log.lines[1:] == [
        "::stop-commands::TOKEN", "::error::x", "::TOKEN::", "::stop-commands::TOKEN", "said ##[error]x", "::TOKEN::",
    ]  # fmt: skip
    assert guarded("plain\n", "TOKEN") == "plain\n"


def test_late_output_and_stops_stand_between_groups() -> None:
    log = Log()
    log.job("a")
    log.begin("a")
    log.reporter.asked_to_stop(force=False)
    log.end("a")
    log.output("a", "late\n")
    assert log.lines[1:] == ["::endgroup::", "stopping; interrupt again to kill what still runs", "late"]


def test_quiet_leaves_the_output_out() -> None:
    log = Log(quiet=True)
    log.job("a")
    log.begin("a")
    log.output("a", "x\n")
    log.end("a")
    assert log.lines == ["::group::a: Step of a", "::endgroup::"]


def test_a_step_that_never_ran_says_why() -> None:
    log = Log()
    log.job("a")
    log.end("a", Conclusion.FAILURE)
    log.end("a", Conclusion.SKIPPED)
    assert log.lines == ["::error title=a%3A ::exit code 3"]


@pytest.mark.parametrize("title", [None, "Bad: very"])
def test_annotations_are_read_back_as_they_were(title: str | None) -> None:
    from pathlib import Path

    from skyflow.runners.output.commands import parse_command
    from skyflow.runners.output.issues import annotation_of

    whole = Annotation(
        level=AnnotationLevel.WARNING, message="a%0A,:\n", title=title, file="f,:%.py", line=1, end_line=1, column=2,
        end_column=3,
    )  # fmt: skip
    command = parse_command(annotation_command(whole, where="job: step"))
    assert command is not None
    read = annotation_of(command, Path("/"))
    assert read.title == ("job: step: Bad: very" if title else "job: step")
    assert read.with_texts(message=read.message, title=title, file=read.file, code=None) == whole
