"""One view of a run: what happened to its jobs, steps and machines, wherever they were, on one clock."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.history import RunHistory
from skyflow.model.machines import MachineRecord
from skyflow.model.run import AttemptRecord, StepRecord
from skyflow.model.units import format_duration

__all__ = ["Moment", "timeline_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened: to a job, or with an empty key to the run. `kind` is what moved."""

    at: datetime
    job: str
    kind: str
    text: str

    def to_json(self) -> dict[str, str]:
        """Return the machine-readable form."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "job": self.job,
            "kind": self.kind,
            "text": self.text,
        }


def timeline_of(history: RunHistory) -> list[Moment]:
    """Return what is remembered of a run, oldest first; things of the same moment stay in their order."""
    moments = [*_of_run(history), *_of_jobs(history), *_of_machines(history)]
    return sorted(moments, key=lambda moment: moment.at)


def _of_run(history: RunHistory) -> Iterator[Moment]:
    run = history.overview.run
    yield Moment(at=run.created_at, job="", kind="run", text="stored with its plan")
    if run.started_at is not None:
        yield Moment(at=run.started_at, job="", kind="run", text="begins")
    for plan in history.superseded:
        yield Moment(at=plan.at, job="", kind="plan", text=f"planned anew: {plan.why}")
    if run.completed_at is not None:
        yield Moment(at=run.completed_at, job="", kind="run", text=_ended(run.conclusion, run.reason))


def _of_jobs(history: RunHistory) -> Iterator[Moment]:
    for job in history.jobs:
        yield Moment(at=job.queued_at, job=job.key, kind="job", text="queued")
        for attempt in history.attempts_of(job.key):
            yield from _of_attempt(attempt, history.steps_of(job.key, attempt.number))
        if job.completed_at is not None:
            yield Moment(at=job.completed_at, job=job.key, kind="job", text=_ended(job.conclusion, job.reason))


def _of_attempt(attempt: AttemptRecord, steps: Iterable[StepRecord]) -> Iterator[Moment]:
    name = f"attempt {attempt.number}"
    yield Moment(at=attempt.started_at, job=attempt.job_key, kind="attempt", text=f"{name} begins")
    for step in steps:
        yield from _of_step(step)
    if attempt.completed_at is not None:
        text = f"{name}: {_ended(attempt.conclusion, attempt.reason)}"
        yield Moment(at=attempt.completed_at, job=attempt.job_key, kind="attempt", text=text)


def _of_step(step: StepRecord) -> Iterator[Moment]:
    name = f"step {step.position} {step.name}"
    if step.started_at is not None:
        yield Moment(at=step.started_at, job=step.job_key, kind="step", text=f"{name} begins")
    if step.completed_at is not None and step.started_at is not None:
        text = f"{name}: {_ended(step.conclusion, step.reason)}"
        yield Moment(at=step.completed_at, job=step.job_key, kind="step", text=text)


def _of_machines(history: RunHistory) -> Iterator[Moment]:
    for machine in history.machines:
        what = machine.offering.id
        yield Moment(at=machine.intended_at, job=machine.job, kind="machine", text=f"asks for {what}")
        if machine.created_at is not None:
            text = f"{what} is there: {machine.console_id}"
            yield Moment(at=machine.created_at, job=machine.job, kind="machine", text=text)
        if (left := _left_at(machine, history)) is not None and machine.kept_until is not None:
            stays = format_duration((machine.kept_until - left).total_seconds())
            yield Moment(at=left, job=machine.user[0], kind="machine", text=f"{what} is kept for {stays}")
        if machine.gone_at is not None:
            was = "is gone" if machine.created_at is not None else "was not made"
            why = f": {machine.detail}" if machine.detail else ""
            yield Moment(at=machine.gone_at, job=machine.job, kind="machine", text=f"{what} {was}{why}")


def _left_at(machine: MachineRecord, history: RunHistory) -> datetime | None:
    """Return when the last attempt ended that had a machine."""
    key, number = machine.user
    return next((each.completed_at for each in history.attempts_of(key) if each.number == number), None)


def _ended(conclusion: object, reason: object) -> str:
    return f"{conclusion}" if reason is None else f"{conclusion} ({reason})"
