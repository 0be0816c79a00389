"""What a reporter has to remember of a run to say something about it: names, start times, last lines."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from skyflow._util.terminal import one_line
from skyflow.model.execution import StepRef
from skyflow.model.run import JobRecord, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.lines import last_lines
from skyflow.report.words import Signs

__all__ = ["JobProgress", "RunProgress", "is_tried_again"]

_TAIL_LINES = 12
_LABEL_LENGTH = 30


@dataclass(slots=True)
class JobProgress:
    """One job as it goes along."""

    key: str
    name: str
    status: Status = Status.QUEUED
    outcome: Conclusion | None = None
    conclusion: Conclusion | None = None
    reason: Reason | None = None
    message: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    earlier_seconds: float = 0.0
    step_name: str = ""
    steps: dict[int, str] = field(default_factory=dict)
    under_way: set[int] = field(default_factory=set)
    failed_step: str | None = None
    last_line: str = ""
    failed_tail: tuple[str, ...] = ()
    tails: dict[int, deque[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: JobRecord) -> Self:
        """Return how far a stored job has got."""
        return cls(
            key=record.key,
            name=one_line(record.name),
            status=record.status,
            outcome=record.outcome,
            conclusion=record.conclusion,
            reason=record.reason,
            message=record.message,
            started_at=record.started_at,
            completed_at=record.completed_at,
        )

    def busy_seconds(self, now: datetime) -> float:
        """Return how long the job has had a machine until now, in all its attempts."""
        if self.started_at is None or self.status is Status.QUEUED:
            return self.earlier_seconds
        return self.earlier_seconds + ((self.completed_at or now) - self.started_at).total_seconds()

    def label(self, position: int) -> str:
        """Return what to call the job beside the output of a step: with the step's name where several run at once."""
        if len(self.under_way) < 2:  # noqa: PLR2004 -- as long as there is one, nobody confuses it
            return self.name
        step = self.steps.get(position, "")
        return f"{self.name}: {step if len(step) <= _LABEL_LENGTH else step[: _LABEL_LENGTH - 3] + '...'}"


def is_tried_again(move: Transition) -> bool:
    """Tell whether a job has failed, and its `retry` gives it another attempt; the message says when."""
    is_back = move.old is Status.IN_PROGRESS and move.new is Status.QUEUED
    return move.entity is Entity.JOB and is_back and move.message is not None


class RunProgress:
    """Every job of a run, kept up to date by the moves that a reporter hears of; `earlier` are those of before."""

    def __init__(self, signs: Signs, earlier: Iterable[JobRecord] = ()) -> None:
        self._signs = signs
        self.jobs = {record.key: JobProgress.of(record) for record in earlier}
        for job in self.jobs.values():
            if job.status is not Status.COMPLETED:  # nobody knows how much of the time since then it had a machine
                job.started_at = None

    def moved(self, move: Transition, at: datetime) -> JobProgress | None:
        """Take a move in, and return the job it concerns."""
        if move.job_key is None:
            return None
        job = self.jobs.setdefault(move.job_key, JobProgress(key=move.job_key, name=move.job_key))
        if move.entity is Entity.JOB:
            job.name = one_line(str(move.data.get("name", job.name)))
            self._job_moved(job, move, at)
        elif move.entity is Entity.STEP:
            self._step_moved(job, move)
        return job

    def output(self, step: StepRef, text: str) -> None:
        """Remember the last lines of a job."""
        job = self.jobs.get(step.job_key)
        if job is None:
            return
        lines = last_lines(text, _TAIL_LINES, self._signs)
        job.tails.setdefault(step.position, deque(maxlen=_TAIL_LINES)).extend(lines)
        job.last_line = next((line for line in reversed(lines) if line.strip()), job.last_line)

    def prefix(self, job_key: str | None) -> str:
        """Return what a line about a job, or with None about the whole run, begins with."""
        if job_key is None:
            return "the run "
        job = self.jobs.get(job_key)
        return f"[{job_key if job is None else job.name}] "

    def _job_moved(self, job: JobProgress, move: Transition, at: datetime) -> None:
        if move.old is Status.IN_PROGRESS and move.new is Status.QUEUED:  # another attempt will follow
            job.earlier_seconds = job.busy_seconds(at)
        job.status, job.reason, job.message = move.new, move.reason, move.message
        if move.new is Status.IN_PROGRESS:
            job.started_at = at
            job.tails.clear()
            job.under_way.clear()
        elif move.new is Status.COMPLETED:
            outcome = move.data.get("outcome")
            job.outcome = Conclusion(outcome) if isinstance(outcome, str) else move.conclusion
            job.conclusion, job.completed_at = move.conclusion, at

    def _step_moved(self, job: JobProgress, move: Transition) -> None:
        position = move.position or 0
        if "name" in move.data:
            job.steps[position] = one_line(str(move.data["name"]))
        if move.new is Status.IN_PROGRESS:
            job.step_name, job.last_line = job.steps.get(position, ""), ""
            job.under_way.add(position)
            return
        tail = job.tails.pop(position, ())
        job.under_way.discard(position)
        if move.conclusion is Conclusion.FAILURE and (tail or job.failed_step is None):
            job.failed_step, job.failed_tail = job.steps.get(position), tuple(tail)
