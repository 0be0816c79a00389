"""Names, messages and output of others get to a terminal, and to a log of GitHub, as text and as nothing else."""

import io
from datetime import UTC, datetime

from skyflow.cli._console import console, draw
from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.board import BoardReporter
from skyflow.report.github import GithubReporter
from skyflow.report.log_reporter import LogReporter
from skyflow.report.plain import PlainReporter
from skyflow.report.words import Signs

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = "x\x1b]52;c;ZXZpbA==\x07\x1b[2J\n::error::y"
JOB, STEP = {"entity": Entity.JOB, "job_key": "a"}, {"entity": Entity.STEP, "job_key": "a", "attempt": 1, "position": 1}
FAILURE = {"conclusion": Conclusion.FAILURE, "reason": Reason.EXIT_CODE, "message": HOSTILE}


def all_said(reporter):
    """Let a reporter hear of a job that is hostile wherever it can be."""
    outcome = {"outcome": "failure"}
    reporter.moved(Transition(**JOB, old=None, new=Status.QUEUED, data={"name": HOSTILE}), NOW)
    reporter.moved(Transition(**JOB, old=Status.QUEUED, new=Status.IN_PROGRESS), NOW)
    reporter.waits("a", HOSTILE)
    reporter.moved(Transition(**JOB, old=Status.IN_PROGRESS, new=Status.QUEUED, message=HOSTILE), NOW)
    reporter.moved(Transition(**STEP, old=Status.PENDING, new=Status.IN_PROGRESS, data={"name": HOSTILE}), NOW)
    reporter.output(StepRef("a", 1, 1), f"{HOSTILE}\n")
    reporter.moved(Transition(**STEP, old=Status.IN_PROGRESS, new=Status.COMPLETED, **FAILURE, data=outcome), NOW)
    reporter.moved(Transition(**JOB, old=Status.IN_PROGRESS, new=Status.COMPLETED, **FAILURE, data=outcome), NOW)


def test_lines_are_as_many_as_they_should_be_and_nothing_in_them_is_obeyed():
    stream = io.StringIO()
    all_said(PlainReporter(stream))
    all_said(LogReporter(stream, wants=lambda *_: True))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 9
    assert all(line.startswith("[x\\u001b]52;c;ZXZpbA==\\u0007") and line.isprintable() for line in lines)


def test_a_log_of_github_has_only_the_commands_that_are_ours():
    stream = io.StringIO()
    all_said(GithubReporter(stream, token="TOKEN"))
    text = stream.getvalue()
    assert text.replace("\n", "").isprintable()
    own = [line for line in text.splitlines() if line.startswith("::")]
    assert [line.split("::")[1].split()[0] for line in own] == [
        "group",
        "stop-commands",
        "error",
        "TOKEN",
        "endgroup",
        "error",
    ]  # fmt: skip -- the first error is in between the token: GitHub takes it for text


def test_the_board_and_tables_draw_them_as_text(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    with BoardReporter(console(), now=lambda: NOW, signs=Signs(), run_number=1) as board:
        all_said(board)
    draw([HOSTILE])
    text = capsys.readouterr().out
    assert "::error::y" in text
    assert not [found for found in ("\x07", "\x1b]", "\x1b[2J") if found in text]
