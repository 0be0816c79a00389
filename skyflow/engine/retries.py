"""What is tried again, and when: jobs and steps with `retry`."""

from dataclasses import replace

from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, StartStep, StartTimer, StopStep, TimerKey
from skyflow.engine.state import AttemptState, JobState
from skyflow.model.execution import StepResult
from skyflow.model.status import Conclusion, Reason
from skyflow.model.units import format_duration
from skyflow.model.workflow import RunStep

__all__ = ["job_delay", "pause_over", "stop_step", "try_step_again"]


def job_delay(draft: Draft, job: JobState, attempt: AttemptState) -> float | None:
    """Return how long to wait before the next attempt at a job whose attempt has ended; None if there is none."""
    policy = draft.state.specs[job.spec_id].retry
    if policy is None or draft.state.stop is not None or draft.state.cancelled(job.spec_id) is not None:
        return None
    reason, exit_code = attempt.failure or (attempt.reason, None)
    if attempt.cancel is not None:
        reason, exit_code = attempt.cancel, None
    if attempt.verdict is Conclusion.SUCCESS or reason in {Reason.CANCELLED, Reason.FAIL_FAST, Reason.SUPERSEDED}:
        return None
    return policy.delay_after(attempt.number - draft.state.attempts_before(job.key), reason, exit_code)


def try_step_again(
    draft: Draft, job: JobState, attempt: AttemptState, result: StepResult, reason: Reason | None
) -> bool:
    """Run the script of the step under way once more, now or after a while; False if it has failed for good."""
    state, step = attempt.top.state, attempt.top.steps[attempt.top.position - 1]
    policy = step.retry if isinstance(step, RunStep) else None
    if policy is None or state.request is None or attempt.cancel is not None or draft.state.stop is not None:
        return False
    delay = policy.delay_after(state.tries, reason, result.exit_code)
    if delay is None or attempt.stack[0].state.timed_out:
        return False
    notice = f"exit code {result.exit_code}; try {state.tries + 1} of {policy.attempts}"
    notice += f" follows in {format_duration(delay)}" if delay else " follows"
    again = replace(state, tries=state.tries + 1, is_paused=delay > 0, request=replace(state.request, notice=notice))
    attempt = replace(attempt.with_top(attempt.top.with_state(again)), masks=result.masks or attempt.masks)
    draft.put(replace(job, attempt=attempt))
    if delay:
        draft.emit(StartTimer(_pause_of(job, attempt), delay))
    elif again.request is not None:
        draft.emit(StartStep(attempt.ref(job.key), again.request))
    return True


def pause_over(draft: Draft, key: TimerKey) -> None:
    """Go on with a job or step that has waited before its next try."""
    job = draft.state.jobs[key.job_key]
    if key.position == 0:
        draft.put(replace(job, is_paused=False))
    elif job.attempt is not None and job.attempt.number == key.attempt:
        _begin_again(draft, job, job.attempt)


def stop_step(draft: Draft, job: JobState, attempt: AttemptState, *, force: bool) -> None:
    """Stop the step under way; one that waits for its next try ends at once."""
    draft.emit(StopStep(attempt.ref(job.key), force=force))
    if attempt.top.position and attempt.top.state.is_paused:
        draft.emit(CancelTimer(_pause_of(job, attempt)))
        _begin_again(draft, job, attempt)  # a step that is stopped before it starts ends without having run


def _begin_again(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    state = attempt.top.state
    draft.put(replace(job, attempt=attempt.with_top(attempt.top.with_state(replace(state, is_paused=False)))))
    if state.request is not None:
        draft.emit(StartStep(attempt.ref(job.key), state.request))


def _pause_of(job: JobState, attempt: AttemptState) -> TimerKey:
    return TimerKey(job.key, attempt.number, attempt.stack[0].position, is_pause=True)
