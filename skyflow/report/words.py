"""The same words and signs everywhere: how a conclusion, a reason and a duration are shown."""

from dataclasses import dataclass
from datetime import datetime

from skyflow._util.terminal import one_line
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.units import format_duration

__all__ = ["REASON_WORDS", "Signs", "ascii_signs", "elapsed", "gap_text", "reason_text", "signs_for", "verdict_text"]


@dataclass(frozen=True, slots=True)
class Signs:
    """One character for each way things can stand."""

    success: str = "✓"
    failure: str = "✗"
    cancelled: str = "■"
    skipped: str = "○"
    waiting: str = "·"
    running: str = "▶"
    bar: str = "│"
    group: str = "▾"

    def of(self, status: Status, conclusion: Conclusion | None) -> str:
        """Return the sign of an entity."""
        match conclusion:
            case Conclusion.SUCCESS:
                return self.success
            case Conclusion.FAILURE:
                return self.failure
            case Conclusion.CANCELLED:
                return self.cancelled
            case Conclusion.SKIPPED:
                return self.skipped
            case None:
                return self.running if status is Status.IN_PROGRESS else self.waiting


ascii_signs = Signs(success="+", failure="x", cancelled="#", skipped="o", waiting=".", running=">", bar="|", group="-")
"""For terminals and files that cannot show more."""

_LEAST_SHOWN_GAP = 0.001
COLOURS = {
    Conclusion.SUCCESS: "green",
    Conclusion.FAILURE: "red",
    Conclusion.CANCELLED: "yellow",
    Conclusion.SKIPPED: "bright_black",
}

REASON_WORDS = {
    Reason.CONDITION: "its condition is false",
    Reason.EARLIER_FAILURE: "not everything before it succeeded",
    Reason.EXIT_CODE: "a command failed",
    Reason.STEP_FAILED: "a step failed",
    Reason.STEP_CANCELLED: "ended by a cancel step",
    Reason.JOB_FAILED: "a job failed",
    Reason.TIMEOUT: "took longer than its timeout-minutes",
    Reason.FAIL_FAST: "another job of the matrix failed",
    Reason.SUPERSEDED: "a newer one of its concurrency group took its place",
    Reason.INTERRUPTED: "interrupted",
    Reason.PREEMPTED: "its machine was taken away",
    Reason.CANCELLED: "the run was cancelled",
    Reason.PLANNED_START: "it waits for its planned start",
    Reason.BUDGET: "the budget does not allow it",
    Reason.REUSED: "taken over from an earlier run",
    Reason.LOST: "lost with its machine, or with the skyflow that drove it",
    Reason.EXPRESSION: "an expression failed",
    Reason.FILE_COMMAND: "a command file cannot be read",
    Reason.NOT_STARTED: "its process could not be started",
}


def waiting_text(group: str) -> str:
    """Return what to say of somebody whose concurrency group is taken."""
    return f"waits for the concurrency group '{one_line(group)}', which another run or job has"


def signs_for(encoding: str | None) -> Signs:
    """Return the signs that a stream of this encoding can show."""
    try:
        f"{Signs()}".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ascii_signs
    return Signs()


def reason_text(reason: Reason | None, message: str | None) -> str:
    """Return why something ended so, as far as that is known: the message as one line, or a sentence for the reason."""
    return one_line(message) if message else ("" if reason is None else REASON_WORDS[reason])


def verdict_text(outcome: Conclusion | None, conclusion: Conclusion | None, status: Status) -> str:
    """Return how something ended, or where it stands; a failure that does not count says so."""
    if conclusion is None:
        return status.value.replace("_", " ")
    if outcome is Conclusion.FAILURE and conclusion is Conclusion.SUCCESS:
        return "failure (allowed)"
    return conclusion.value


def gap_text(gap: float) -> str:
    """Return how much of the goal a better plan could save, from a proven share of it."""
    return f"at most {gap:.1%}" if gap >= _LEAST_SHOWN_GAP else f"less than {_LEAST_SHOWN_GAP:.1%}"


def elapsed(start: datetime | None, end: datetime | None) -> str:
    """Return the time between two moments, or nothing while either is unknown."""
    if start is None or end is None:
        return ""
    return format_duration(max(0.0, (end - start).total_seconds()))


def whole_seconds(seconds: float) -> str:
    """Return a duration without parts of a second, which would only flicker."""
    return f"{int(seconds)}s" if seconds < 60 else format_duration(int(seconds))  # noqa: PLR2004 -- a minute
