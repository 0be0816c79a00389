"""Progress as lines of text, each with the job it belongs to: for files, pipes and CI logs."""

from datetime import datetime
from typing import TextIO

from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.lines import OutputLines
from skyflow.report.run_progress import JobProgress, RunProgress, is_tried_again
from skyflow.report.words import elapsed, reason_text, signs_for, verdict_text, waiting_text

__all__ = ["PlainReporter"]


class PlainReporter:
    """Writes one line per move and per line of output.

    `quiet` tells only of jobs that did not go well, with the end of what they printed: the table after the run has all.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._signs = signs_for(stream.encoding)
        self._progress = RunProgress(self._signs)
        self._lines: dict[StepRef, OutputLines] = {}

    def moved(self, transition: Transition, at: datetime) -> None:
        """Write what moved, where a reader wants to know."""
        job = self._progress.moved(transition, at)
        if job is None:
            return
        if transition.entity is Entity.STEP and transition.new is Status.IN_PROGRESS and not self._quiet:
            self._line(job, f"{self._signs.running} {job.step_name}")
        elif transition.entity is Entity.STEP and transition.reason is not None:
            self._step_ended(job, transition)
        elif transition.entity is Entity.JOB and transition.new is Status.COMPLETED:
            self._job_ended(job)
        elif is_tried_again(transition) or transition.reason is Reason.PLANNED_START:
            self._line(job, f"{self._signs.waiting} {reason_text(transition.reason, transition.message)}")

    def output(self, step: StepRef, text: str) -> None:
        """Write what a step printed, every line with its job."""
        self._progress.output(step, text)
        if self._quiet:
            return
        job = self._progress.jobs.get(step.job_key)
        prefix = f"[{job.label(step.position) if job else step.job_key}] {self._signs.bar} "
        lines = self._lines.setdefault(step, OutputLines(self._signs))
        self._stream.write("".join(f"{prefix}{line}\n" for line in lines.shown(text)))
        self._stream.flush()

    def waits(self, job_key: str | None, group: str) -> None:
        """Say what a job, or the run, waits for."""
        self._stream.write(f"{self._progress.prefix(job_key)}{waiting_text(group)}\n")
        self._stream.flush()

    def asked_to_stop(self, *, force: bool) -> None:
        """Say that stopping takes a moment, and how to hurry it."""
        text = "killing what still runs" if force else "stopping; interrupt again to kill what still runs"
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def _step_ended(self, job: JobProgress, move: Transition) -> None:
        if move.reason in {Reason.CONDITION, Reason.EARLIER_FAILURE, Reason.INTERRUPTED, Reason.FAIL_FAST, Reason.LOST}:
            return
        name = job.steps.get(move.position or 0, "")
        ended_by_step = move.reason is Reason.STEP_CANCELLED
        sign = self._signs.cancelled if ended_by_step else self._signs.failure
        self._line(job, f"{sign} {name}: {reason_text(move.reason, move.message)}")

    def _job_ended(self, job: JobProgress) -> None:
        if self._quiet and job.outcome in {Conclusion.SUCCESS, Conclusion.SKIPPED}:
            return
        sign = self._signs.of(job.status, job.conclusion)
        text = f"{sign} {verdict_text(job.outcome, job.conclusion, job.status)}"
        why = reason_text(job.reason, job.message)
        took = elapsed(job.started_at, job.completed_at)
        if self._quiet and job.outcome is Conclusion.FAILURE:
            for line in job.failed_tail:
                self._line(job, f"{self._signs.bar} {line}")
        self._line(job, f"{text}{': ' + why if why else ''}{' in ' + took if took else ''}")

    def _line(self, job: JobProgress, text: str) -> None:
        self._stream.write(f"[{job.name}] {text}\n")
        self._stream.flush()
