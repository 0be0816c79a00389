"""What follows when a machine, or the driver, is lost in the middle of an attempt."""

from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState
from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, ReleaseAttempt, StopStep, TimerKey
from skyflow.engine.endings import checkpoint_timer, requeue
from skyflow.engine.jobs import complete_job
from skyflow.engine.state import JobState
from skyflow.model.execution import StepRef
from skyflow.model.status import Conclusion, Reason, Status

__all__ = ["MOST_ATTEMPTS", "lose_attempt", "machine_lost"]

MOST_ATTEMPTS = 3
"""A job that has lost its machine so often is not tried again: the job may well be what kills them."""


def machine_lost(draft: Draft, ref: StepRef, why: str) -> None:
    """Give up an attempt whose machine is lost, and queue its job again, to run elsewhere.

    A job that was cancelled meanwhile is cancelled, and one that has had many attempts has failed.
    """
    job = draft.state.jobs[ref.job_key]
    attempt = job.attempt
    if attempt is None or attempt.number != ref.attempt:
        return
    for step in attempt.under_way(job.key):
        if step != ref:
            draft.emit(StopStep(step, force=True))
    under_way = [
        position for position, state in enumerate(attempt.states, start=1) if state.status is not Status.COMPLETED
    ]
    draft.emit(CancelTimer(checkpoint_timer(job, attempt)))
    for position in (0, *under_way):
        draft.emit(CancelTimer(TimerKey(job.key, attempt.number, position)))
        draft.emit(CancelTimer(TimerKey(job.key, attempt.number, position, is_pause=True)))
    why = attempt.hide(why)
    if attempt.cancel not in {None, Reason.INTERRUPTED}:
        _end(draft, job, Conclusion.CANCELLED, reason=attempt.cancel, message=why)
    elif attempt.number >= MOST_ATTEMPTS:
        _end(draft, job, Conclusion.FAILURE, reason=Reason.LOST, message=why)
    else:
        lose_attempt(draft, job, message=why)


def lose_attempt(draft: Draft, job: JobState, *, message: str | None = None) -> None:
    """Give up an attempt whose driver died, or whose machine is lost; its job will get a new one."""
    attempt = job.attempt
    if attempt is None:
        return
    _lose_steps(draft, job, attempt)
    attempt = replace(attempt.with_verdict(Conclusion.CANCELLED), reason=Reason.LOST, message=message)
    draft.move_attempt(job, attempt, Status.IN_PROGRESS, Status.COMPLETED)
    draft.emit(ReleaseAttempt(job.key, attempt.number))
    follows = f"attempt {attempt.number + 1} follows"
    requeue(draft, replace(job, lost=job.lost + 1), message=f"{message}; {follows}" if message else follows)


def _end(draft: Draft, job: JobState, outcome: Conclusion, *, reason: Reason | None, message: str) -> None:
    """Complete a job whose attempt cannot go on."""
    attempt = job.attempt
    if attempt is None:
        return
    _lose_steps(draft, job, attempt)
    attempt = replace(attempt.with_verdict(outcome), reason=reason, message=message)
    draft.move_attempt(job, attempt, Status.IN_PROGRESS, Status.COMPLETED)
    draft.emit(ReleaseAttempt(job.key, attempt.number))
    complete_job(draft, job, outcome, reason=reason, message=message)


def _lose_steps(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Complete every step of an attempt that has not: whatever ran them is lost."""
    setup = () if attempt.setup is None else ((0, attempt.setup),)
    for position, state in (*setup, *enumerate(attempt.states, start=1)):
        if state.status is not Status.COMPLETED:
            lost = replace(
                state, status=Status.COMPLETED, outcome=Conclusion.CANCELLED, conclusion=Conclusion.CANCELLED
            )
            draft.move_step(job, attempt, position, lost, state.status, reason=Reason.LOST)
