"""How attempts end: post phases of actions, the end of containers, outputs, and what becomes of the job."""

from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState, StepState
from skyflow.engine.contexts import EvaluationError, attempt_scope, condition_holds
from skyflow.engine.draft import Draft
from skyflow.engine.effects import (
    CancelTimer,
    ReleaseAttempt,
    ReleaseGroup,
    SaveCheckpoint,
    StartAction,
    StartTimer,
    StopContainers,
    TimerKey,
)
from skyflow.engine.jobs import complete_job, request_group
from skyflow.engine.retries import job_delay
from skyflow.engine.state import JobState, Stop
from skyflow.engine.steps import judge
from skyflow.model.execution import Pairs, StepResult
from skyflow.model.run import Json
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.units import format_duration

__all__ = ["checkpoint_timer", "completed", "end_attempt", "end_own_step", "finish_attempt", "post_ended", "requeue"]


def end_attempt(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Begin the next post phase whose condition holds; finish the attempt when there is none."""
    while attempt.posts:
        post, *rest = attempt.posts
        position = len(attempt.steps) + attempt.posts_done + 1
        attempt = replace(attempt, posts=tuple(rest), posts_done=attempt.posts_done + 1)
        if draft.state.stop is Stop.FORCED:
            continue
        name: dict[str, Json] = {"name": attempt.hide(post.name)}
        draft.move_step(job, attempt, position, StepState(), None, data=name)
        try:
            holds = condition_holds(draft.state, job, attempt, post.condition)
        except EvaluationError as error:
            state = completed(Conclusion.FAILURE)
            draft.move_step(
                job,
                attempt,
                position,
                state,
                Status.PENDING,
                reason=Reason.EXPRESSION,
                message=attempt.hide(str(error)),
            )
            continue
        if not holds:
            state = completed(Conclusion.SKIPPED)
            draft.move_step(job, attempt, position, state, Status.PENDING, reason=Reason.CONDITION)
            continue
        attempt = replace(attempt, post_position=position)
        draft.put(replace(job, attempt=attempt))
        draft.move_step(job, attempt, position, StepState(status=Status.IN_PROGRESS), Status.PENDING)
        draft.emit(StartAction(attempt.ref(job.key), replace(post.request, path=attempt.path)))
        return
    if attempt.setup is None or draft.state.stop is Stop.FORCED:
        finish_attempt(draft, job, attempt)
    else:
        _stop_containers(draft, job, attempt)


def post_ended(draft: Draft, job: JobState, attempt: AttemptState, result: StepResult) -> None:
    """Take in how a post phase, or stopping the containers, ended, and go on with the next."""
    attempt, _ = end_own_step(draft, job, attempt, attempt.post_position, result)
    end_attempt(draft, job, replace(attempt, post_position=0))


def _stop_containers(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Stop the containers of an attempt, as its last step."""
    position = len(attempt.steps) + attempt.posts_done + 1
    draft.move_step(job, attempt, position, StepState(), None, data={"name": "Stop containers"})
    attempt = replace(attempt, posts_done=attempt.posts_done + 1, post_position=position, setup=None)
    draft.put(replace(job, attempt=attempt))
    draft.move_step(job, attempt, position, StepState(status=Status.IN_PROGRESS), Status.PENDING)
    draft.emit(StopContainers(attempt.ref(job.key)))


def finish_attempt(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """End the attempt: evaluate the job's outputs, then complete the job or queue it again."""
    draft.emit(CancelTimer(TimerKey(job.key, attempt.number)))
    draft.emit(CancelTimer(checkpoint_timer(job, attempt)))
    interrupted = attempt.verdict is Conclusion.CANCELLED and attempt.reason is Reason.INTERRUPTED
    outputs: Pairs = ()
    if not interrupted:
        try:
            values = attempt_scope(draft.state, job, attempt).variables(draft.state.specs[job.spec_id].outputs)
            # as on GitHub, an output that is empty or holds something masked is not set
            outputs = tuple((name, value) for name, value in values if value and attempt.hide(value) == value)
        except EvaluationError as error:
            attempt = replace(
                attempt.with_verdict(Conclusion.FAILURE), reason=Reason.EXPRESSION, message=attempt.hide(str(error))
            )
    if attempt.failure is not None and attempt.failure[0] is Reason.PREEMPTED:  # not the fault of any step
        attempt = replace(attempt, reason=Reason.PREEMPTED)
    draft.move_attempt(job, attempt, Status.IN_PROGRESS, Status.COMPLETED)
    checkpoint = draft.state.specs[job.spec_id].checkpoint
    has_run = any(state.conclusion is not Conclusion.SKIPPED for state in attempt.states)
    is_unfinished = attempt.verdict is not Conclusion.SUCCESS and draft.state.stop is not Stop.FORCED
    if checkpoint is not None and has_run and is_unfinished:
        draft.emit(SaveCheckpoint(job.key, attempt.number, checkpoint.path))
    draft.emit(ReleaseAttempt(job.key, attempt.number))
    delay = None if interrupted else job_delay(draft, job, attempt)
    if interrupted or delay is not None:
        follows = None
        if delay is not None:
            follows = f"attempt {attempt.number + 1} follows{f' in {format_duration(delay)}' if delay else ''}"
        requeue(draft, job, delay or 0.0, message=follows)
        if delay is not None:
            request_group(draft, draft.state.jobs[job.key])
    else:
        complete_job(
            draft,
            replace(job, outputs=outputs),
            attempt.verdict,
            reason=attempt.reason,
            message=attempt.message,
        )


def requeue(draft: Draft, job: JobState, delay_seconds: float = 0.0, *, message: str | None = None) -> None:
    """Queue the job of an attempt that has ended for another one: before all others, or after the delay."""
    queued = replace(job, status=Status.QUEUED, attempt=None, is_granted=False, is_paused=delay_seconds > 0)
    job = draft.move_job(queued, Status.IN_PROGRESS, message=message)
    if job.is_paused:
        draft.emit(StartTimer(TimerKey(job.key, job.attempts, is_pause=True), delay_seconds))
    if job.group is not None:
        draft.emit(ReleaseGroup(job.key))
    draft.deactivate(job.key)
    draft.enqueue(job, first=not job.is_paused)


def end_own_step(
    draft: Draft, job: JobState, attempt: AttemptState, position: int, result: StepResult
) -> tuple[AttemptState, Conclusion]:
    """Complete an own step, which the workflow does not have: a post phase, the start or the end of containers."""
    outcome, reason, message = judge(result, StepState(), attempt.cancel)
    data: dict[str, Json] = {} if result.exit_code is None else {"exit_code": result.exit_code}
    if result.annotations:
        data["annotations"] = [{**annotation.to_json()} for annotation in result.annotations]
    draft.move_step(
        job,
        attempt,
        position,
        completed(outcome),
        Status.IN_PROGRESS,
        reason=reason,
        message=message and attempt.hide(message),
        data=data,
    )
    attempt = replace(attempt, masks=result.masks or attempt.masks)
    if outcome is Conclusion.FAILURE and attempt.verdict is Conclusion.SUCCESS:
        attempt = replace(attempt.with_verdict(Conclusion.FAILURE), reason=Reason.STEP_FAILED, message=message)
    if outcome is Conclusion.CANCELLED:
        attempt = replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel)
    return attempt, outcome


def completed(outcome: Conclusion) -> StepState:
    """Return the state of an own step that has come to this outcome."""
    return StepState(status=Status.COMPLETED, outcome=outcome, conclusion=outcome)


def checkpoint_timer(job: JobState, attempt: AttemptState) -> TimerKey:
    """Return the name of the timer after which the folder of an attempt is kept once more."""
    return TimerKey(job.key, attempt.number, is_checkpoint=True)
