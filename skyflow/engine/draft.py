"""A state in the making, and the effects that go with it: what the parts of the machine pass along."""

from collections.abc import Mapping
from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState, StepState
from skyflow.engine.effects import Effect
from skyflow.engine.state import JobState, RunState
from skyflow.model.run import Json, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status

__all__ = ["Draft"]


_PROGRESS = (Status.PENDING, Status.IN_PROGRESS, Status.COMPLETED)
"""How a step goes on."""


class Draft:
    """Collects the changes of one event; `state` is replaced, never changed in place.

    `finished_specs` lists the job specs with a newly completed job, whose dependents have not been looked at yet.
    """

    def __init__(self, state: RunState) -> None:
        self.state = state
        self.effects: list[Effect] = []
        self.finished_specs: list[str] = []

    def put(self, job: JobState) -> JobState:
        """Add or replace a job, and return it."""
        self.state = self.state.with_job(job)
        return job

    def enqueue(self, job: JobState, *, first: bool = False) -> None:
        """Let a job wait for a slot, behind all others or before them."""
        queue = self.state.queue
        self.state = replace(self.state, queue=(job.key, *queue) if first else (*queue, job.key))

    def dequeue(self, key: str) -> None:
        """Take a job out of the queue."""
        self.state = replace(self.state, queue=tuple(other for other in self.state.queue if other != key))

    def activate(self, key: str) -> None:
        """Move a job from the queue to those in progress."""
        self.dequeue(key)
        self.state = replace(self.state, active=(*self.state.active, key))

    def deactivate(self, key: str) -> None:
        """Give the slot of a job back."""
        self.state = replace(self.state, active=tuple(other for other in self.state.active if other != key))

    def cancel_frame(self, key: str, reason: Reason) -> None:
        """Remember that a workflow within the run was cancelled."""
        frame = replace(self.state.frames[key], cancelled=reason)
        self.state = replace(self.state, frames={**self.state.frames, key: frame})

    def emit(self, effect: Effect) -> None:
        """Ask for something to be done."""
        self.effects.append(effect)

    def move_run(
        self,
        old: Status,
        new: Status,
        *,
        conclusion: Conclusion | None = None,
        reason: Reason | None = None,
        message: str | None = None,
    ) -> None:
        """Move the run."""
        self.state = replace(self.state, status=new, conclusion=conclusion)
        self.emit(
            Transition(entity=Entity.RUN, old=old, new=new, conclusion=conclusion, reason=reason, message=message)
        )

    def move_job(
        self,
        job: JobState,
        old: Status | None,
        *,
        reason: Reason | None = None,
        message: str | None = None,
        data: Mapping[str, Json] | None = None,
    ) -> JobState:
        """Put a job that has its new status and conclusion, and record how it came there."""
        self.emit(
            Transition(
                entity=Entity.JOB,
                old=old,
                new=job.status,
                job_key=job.key,
                conclusion=job.conclusion,
                reason=reason,
                message=message,
                data=data or {},
            )
        )
        return self.put(job)

    def move_attempt(self, job: JobState, attempt: AttemptState, old: Status | None, new: Status) -> None:
        """Record a move of an attempt; one that completes takes its verdict along."""
        ended = new is Status.COMPLETED
        self.emit(
            Transition(
                entity=Entity.ATTEMPT,
                old=old,
                new=new,
                job_key=job.key,
                attempt=attempt.number,
                conclusion=attempt.verdict if ended else None,
                reason=attempt.reason if ended else None,
                message=attempt.message if ended else None,
            )
        )

    def move_step(
        self,
        job: JobState,
        attempt: AttemptState,
        position: int,
        step: StepState,
        old: Status | None,
        *,
        reason: Reason | None = None,
        message: str | None = None,
        data: Mapping[str, Json] | None = None,
    ) -> None:
        """Record a move of a step, unless a driver before us has."""
        recorded = attempt.recorded.get(position)
        if recorded is not None and _PROGRESS.index(step.status) <= _PROGRESS.index(recorded):
            return
        if recorded is Status.IN_PROGRESS:  # it was begun, and is not reached again: the job is being cancelled
            old = recorded
        outcome: dict[str, Json] = {"outcome": step.outcome.value} if step.outcome is not None else {}
        self.emit(
            Transition(
                entity=Entity.STEP,
                old=old,
                new=step.status,
                job_key=job.key,
                attempt=attempt.number,
                position=position,
                conclusion=step.conclusion,
                reason=reason,
                message=message,
                data=outcome | dict(data or {}),
            )
        )
