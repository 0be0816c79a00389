"""What is tried again, and when: jobs and steps with `retry`."""

from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState
from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, StartStep, StartTimer, StopStep, TimerKey
from skyflow.engine.state import JobState
from skyflow.model.execution import StepResult
from skyflow.model.retry import RetryPolicy
from skyflow.model.status import Conclusion, Reason
from skyflow.model.units import format_duration
from skyflow.model.workflow import RunStep

__all__ = ["job_delay", "pause_over", "stop_step", "try_step_again"]

_WITHOUT_POLICY = RetryPolicy(attempts=20, causes=frozenset({Reason.PREEMPTED}))
"""A machine that is taken away is no fault of the job, so it gets another one; but not for ever."""


def job_delay(draft: Draft, job: JobState, attempt: AttemptState) -> float | None:
    """Return how long to wait before the next attempt at a job whose attempt has ended; None if there is none."""
    policy = draft.state.specs[job.spec_id].retry or _WITHOUT_POLICY
    if draft.state.stop is not None or draft.state.cancelled(job.spec_id) is not None:
        return None
    reason, exit_code = attempt.failure or (attempt.reason, None)
    if attempt.cancel is not None:
        reason, exit_code = attempt.cancel, None
    if attempt.verdict is Conclusion.SUCCESS or reason in {Reason.CANCELLED, Reason.FAIL_FAST, Reason.SUPERSEDED}:
        return None
    tries = attempt.number - job.lost - draft.state.attempts_before(job.key)  # what was lost has not failed
    return policy.delay_after(tries, reason, exit_code)


def try_step_again(
    draft: Draft, job: JobState, attempt: AttemptState, result: StepResult, reason: Reason | None
) -> bool:
    """Run the script of the step in view once more, now or after a while; False if it has failed for good."""
    state, step = attempt.top.state, attempt.step
    policy = step.retry if isinstance(step, RunStep) else None
    if policy is None or state.request is None or attempt.is_stop_due or draft.state.stop is not None:
        return False
    delay = policy.delay_after(state.tries, reason, result.exit_code)
    if delay is None:
        return False
    notice = f"exit code {result.exit_code}; try {state.tries + 1} of {policy.attempts}"
    notice += f" follows in {format_duration(delay)}" if delay else " follows"
    request = replace(state.request, notice=notice)
    again = replace(state, tries=state.tries + 1, is_paused=delay > 0, request=request)
    attempt = replace(attempt.with_top(attempt.top.with_state(again)), masks=result.masks or attempt.masks)
    draft.put(replace(job, attempt=attempt))
    draft.emit(StartTimer(_pause_of(job, attempt), delay) if delay else StartStep(attempt.ref(job.key), request))
    return True


def pause_over(draft: Draft, key: TimerKey) -> None:
    """Go on with a job or step that has waited before its next try."""
    job = draft.state.jobs[key.job_key]
    if key.position == 0:
        draft.put(replace(job, is_paused=False))
    elif job.attempt is not None and job.attempt.number == key.attempt:
        attempt = _begin_again(draft, job, job.attempt.seen_from(key.position))
        draft.put(replace(job, attempt=attempt))


def stop_step(draft: Draft, job: JobState, attempt: AttemptState, *, force: bool) -> AttemptState:
    """Stop the step in view, and return the attempt; one that waits for its next try ends at once."""
    draft.emit(StopStep(attempt.ref(job.key), force=force))
    if attempt.post_position or not attempt.top.state.is_paused:
        return attempt
    draft.emit(CancelTimer(_pause_of(job, attempt)))
    return _begin_again(draft, job, attempt)  # a step that is stopped before it starts ends without having run


def _begin_again(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    state = attempt.top.state
    if state.request is not None:
        draft.emit(StartStep(attempt.ref(job.key), state.request))
    return attempt.with_top(attempt.top.with_state(replace(state, is_paused=False)))


def _pause_of(job: JobState, attempt: AttemptState) -> TimerKey:
    return TimerKey(job.key, attempt.number, attempt.strand.position, is_pause=True)
