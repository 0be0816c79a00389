"""Attempts: from their first step to their last; `endings.py` has what follows."""

from dataclasses import replace

from skyflow.engine.actions import begin_action
from skyflow.engine.attempt_state import AttemptState, StepState
from skyflow.engine.background import fill_slots, finish_control, retire, settle
from skyflow.engine.conditions import NeedsHash
from skyflow.engine.containers import asked_containers
from skyflow.engine.contexts import EvaluationError, attempt_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import (
    CancelTimer,
    HashFiles,
    SaveCheckpoint,
    SetUp,
    StartContainers,
    StartTimer,
    TimerKey,
)
from skyflow.engine.endings import checkpoint_timer, completed, end_attempt, end_own_step, finish_attempt, post_ended
from skyflow.engine.jobs import cancel_job
from skyflow.engine.order import steps_of
from skyflow.engine.retries import pause_over, stop_step, try_step_again
from skyflow.engine.state import JobState
from skyflow.engine.steps import absorb, authored_name, end_step, judge
from skyflow.engine.strands import advance
from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import StepRef, StepResult
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.uses import LoadedAction
from skyflow.model.workflow import CancelStep, Step, WaitStep

__all__ = [
    "action_loaded",
    "containers_started",
    "files_hashed",
    "start_attempt",
    "step_ended",
    "take_up_attempt",
    "timer_fired",
]

_DEFAULT_TIMEOUT_MINUTES = 360.0
"""GitHub's default for `jobs.<id>.timeout-minutes`."""


def start_attempt(draft: Draft, job: JobState) -> None:
    """Begin a new attempt at a queued job, with its first step."""
    steps = _steps(draft, job)
    states = tuple(StepState() for _ in steps)
    attempt = AttemptState(number=job.attempts + 1, steps=steps, states=states, masks=draft.state.masks)
    draft.activate(job.key)
    job = replace(job, status=Status.IN_PROGRESS, attempts=attempt.number, attempt=attempt)
    draft.move_job(job, Status.QUEUED, data={"name": job.name})  # whoever resumes a run has not heard it yet
    draft.move_attempt(job, attempt, None, Status.IN_PROGRESS)
    for position, step in enumerate(steps, start=1):
        draft.move_step(job, attempt, position, StepState(), None, data={"name": authored_name(step)})
    _enter(draft, job, attempt)


def _steps(draft: Draft, job: JobState) -> tuple[Step, ...]:
    needed = (draft.state.specs[spec_id] for spec_id in draft.state.needs[job.spec_id])
    return steps_of(draft.state.specs[job.spec_id], needed)


def take_up_attempt(draft: Draft, job: JobState, seconds: float) -> None:
    """Go on with an attempt that a dead driver began so long ago.

    Its steps are gone through once more from the first, but nothing is stored that was before, and the runner answers at
    once for steps that have ended. So the attempt is where it was, with all that its steps have written.
    """
    if job.attempt is None:
        return
    steps = _steps(draft, job)
    recorded = {position: state.status for position, state in enumerate(job.attempt.states, start=1)}
    if job.attempt.setup is not None:
        recorded[0] = job.attempt.setup.status
    attempt = AttemptState(
        number=job.attempt.number,
        steps=steps,
        states=tuple(StepState() for _ in steps),
        masks=draft.state.masks,
        recorded=recorded,
        late_cancel=job.attempt.late_cancel,
        has_heard=job.attempt.has_heard,
        seconds=seconds,
    )
    _enter(draft, draft.put(replace(job, attempt=attempt)), attempt)


def _enter(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Begin with having a machine, where the job runs elsewhere, and what an earlier attempt kept; else with the first step."""
    spec = draft.state.specs[job.spec_id]
    goes_on = spec.checkpoint is not None and attempt.number > 1 and spec.container is None and not spec.services
    if not goes_on and not draft.state.rooms.pool_of(job.key):
        _begin(draft, job, attempt)
        return
    draft.move_step(job, attempt, 0, StepState(), None, data={"name": "Set up job"})
    attempt = replace(attempt, setup=StepState(status=Status.IN_PROGRESS))
    draft.move_step(job, attempt, 0, StepState(status=Status.IN_PROGRESS), Status.PENDING)
    draft.put(replace(job, attempt=attempt))
    try:
        minutes = attempt_scope(draft.state, job, attempt).number(spec.timeout_minutes)
    except EvaluationError:  # which ends the attempt once it has its machine, as it would here
        minutes = None
    draft.emit(SetUp(attempt.ref(job.key), _kept_folder(draft, job, attempt), minutes))


def _kept_folder(draft: Draft, job: JobState, attempt: AttemptState) -> str | None:
    """Return the folder to begin with as an earlier attempt kept it; none for an attempt that has begun already."""
    checkpoint = draft.state.specs[job.spec_id].checkpoint
    if checkpoint is None or attempt.number == 1 or attempt.recorded.get(0) is Status.COMPLETED:
        return None
    return checkpoint.path


def _set_up(draft: Draft, job: JobState, attempt: AttemptState, result: StepResult) -> None:
    """Go on with the first step, now that there is a machine; without one there is nothing that could run."""
    attempt, outcome = end_own_step(draft, job, replace(attempt, setup=None), 0, result)
    if outcome is Conclusion.SUCCESS:
        _begin(draft, job, attempt)
    else:
        finish_attempt(draft, job, _skip_all(draft, job, attempt, attempt.cancel or Reason.EARLIER_FAILURE))


def _begin(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Begin with the first step; from now on the time of the attempt counts."""
    spec = draft.state.specs[job.spec_id]
    workflow = draft.state.frame_of(spec.id).workflow
    try:
        attempt = replace(attempt, job_env=attempt_scope(draft.state, job, attempt).variables(workflow.env))
        scope = attempt_scope(draft.state, job, attempt)
        attempt = replace(attempt, job_env=(*attempt.job_env, *scope.variables(spec.env)))
        minutes = scope.number(spec.timeout_minutes) or _DEFAULT_TIMEOUT_MINUTES
        containers = asked_containers(attempt_scope(draft.state, job, attempt), spec)
    except EvaluationError as error:
        attempt = replace(
            attempt.with_verdict(Conclusion.FAILURE), reason=Reason.EXPRESSION, message=attempt.hide(str(error))
        )
        finish_attempt(draft, job, _skip_all(draft, job, attempt, Reason.EXPRESSION))
        return
    draft.emit(StartTimer(TimerKey(job.key, attempt.number), max(minutes * 60 - attempt.seconds, 0.0)))
    if spec.checkpoint is not None:
        draft.emit(StartTimer(checkpoint_timer(job, attempt), spec.checkpoint.every_seconds))
    if containers is None:
        _go_on(draft, job, attempt)
    else:
        _start_containers(draft, job, attempt, containers)


def _skip_all(draft: Draft, job: JobState, attempt: AttemptState, reason: Reason) -> AttemptState:
    """Skip every step of an attempt that cannot begin, and return it."""
    for position in range(1, len(attempt.steps) + 1):
        attempt = attempt.with_top(replace(attempt.top, position=position))
        attempt = end_step(draft, job, attempt, Conclusion.SKIPPED, reason=reason)
    return attempt


def _start_containers(draft: Draft, job: JobState, attempt: AttemptState, request: ContainersRequest) -> None:
    """Start the containers of an attempt, as step 0."""
    draft.move_step(job, attempt, 0, StepState(), None, data={"name": "Initialize containers"})
    attempt = replace(attempt, setup=StepState(status=Status.IN_PROGRESS))
    draft.move_step(job, attempt, 0, StepState(status=Status.IN_PROGRESS), Status.PENDING)
    draft.put(replace(job, attempt=attempt))
    draft.emit(StartContainers(attempt.ref(job.key), request, _kept_folder(draft, job, attempt)))


def containers_started(draft: Draft, ref: StepRef, result: StepResult, containers: StartedContainers | None) -> None:
    """Go on with the first step, in or beside the containers; or without, where only clean-up steps run."""
    job = draft.state.jobs[ref.job_key]
    attempt = _view(job, ref)
    if attempt is None:
        return
    attempt, outcome = end_own_step(draft, job, attempt, 0, result)
    _go_on(draft, job, replace(attempt, setup=completed(outcome), containers=containers))


def step_ended(draft: Draft, ref: StepRef, result: StepResult) -> None:
    """Take in how a step's process ended, and go on with what follows."""
    job = draft.state.jobs[ref.job_key]
    attempt = _view(job, ref)
    if attempt is None:
        return
    if ref.position == 0:
        _set_up(draft, job, attempt, result)
        return
    if attempt.post_position:
        post_ended(draft, job, attempt, result)
        return
    outcome, reason, message = judge(result, attempt.job_step, attempt.cancel)
    if outcome is Conclusion.FAILURE and try_step_again(draft, job, attempt, result, reason):
        return
    attempt = absorb(attempt, result)
    if not attempt.is_inside:
        draft.emit(CancelTimer(TimerKey(ref.job_key, ref.attempt, ref.position)))
    attempt = end_step(
        draft,
        job,
        attempt,
        outcome,
        reason=reason,
        message=message,
        outputs=result.outputs,
        exit_code=result.exit_code,
        annotations=result.annotations,
    )
    if attempt.failure is None and attempt.verdict is Conclusion.FAILURE:
        attempt = replace(attempt, failure=(reason, result.exit_code))
    _go_on(draft, job, attempt)


def _view(job: JobState, ref: StepRef) -> AttemptState | None:
    """Return the attempt as a step sees it; None for a step of an attempt that was given up in the meantime."""
    if job.attempt is None:
        return None
    attempt = job.attempt.seen_from(ref.position)
    return attempt if attempt.ref(job.key) == ref else None


def action_loaded(draft: Draft, ref: StepRef, action: LoadedAction | None, error: str | None) -> None:
    """Begin an action that was looked up, or fail the step that uses it."""
    job = draft.state.jobs[ref.job_key]
    attempt = _view(job, ref)
    if attempt is None:
        return
    if attempt.is_stop_due:
        stopped = StepResult(exit_code=None, stopped=True)
        outcome, reason, message = judge(stopped, attempt.job_step, attempt.cancel)
        _go_on(draft, job, end_step(draft, job, attempt, outcome, reason=reason, message=message))
        return
    if action is None:
        _refuse(draft, job, attempt, error or "there is no such action")
        return
    before = attempt.strand.calls
    try:
        attempt = begin_action(draft, job, attempt, action)
    except NeedsHash as question:
        attempt = attempt.with_strand(replace(attempt.strand, awaited=action))
        draft.put(replace(job, attempt=attempt))
        position = ref.position if attempt.strand.is_background else 0
        draft.emit(HashFiles(job.key, attempt.number, question.patterns, position))
        return
    except EvaluationError as failure:
        _refuse(draft, job, attempt, str(failure))
        return
    attempt = attempt.with_strand(replace(attempt.strand, awaited=None))
    if len(attempt.strand.calls) > len(before):
        _go_on(draft, job, attempt)
    else:
        draft.put(replace(job, attempt=attempt))


def _refuse(draft: Draft, job: JobState, attempt: AttemptState, message: str) -> None:
    """Fail the step in view, whose action cannot be begun."""
    if not attempt.is_inside:
        draft.emit(CancelTimer(TimerKey(job.key, attempt.number, attempt.strand.position)))
    ended = end_step(draft, job, attempt, Conclusion.FAILURE, reason=Reason.NOT_STARTED, message=message)
    _go_on(draft, job, ended)


def files_hashed(draft: Draft, asked: HashFiles, digest: str, error: str | None) -> None:
    """Go on with an expression that waited for a hash."""
    job = draft.state.jobs[asked.job_key]
    if job.attempt is None or job.attempt.number != asked.attempt:
        return
    attempt = job.attempt.seen_from(asked.position)
    strand = attempt.strand
    known = (*strand.hashes, (asked.patterns, digest, error))
    attempt = attempt.with_strand(replace(strand, hashes=known, is_asking=False))
    if strand.awaited is not None:
        draft.put(replace(job, attempt=attempt))
        action_loaded(draft, attempt.ref(job.key), strand.awaited, None)
    elif strand.is_asking:
        _go_on_beside(draft, job, attempt.seen_from())
    else:
        _go_on(draft, job, attempt)


def timer_fired(draft: Draft, key: TimerKey) -> None:
    """Stop a step, or cancel a job, that has taken too long; try one again that has waited; keep the folder of a job."""
    if key.is_pause:
        pause_over(draft, key)
        return
    job = draft.state.jobs[key.job_key]
    attempt = job.attempt
    if attempt is None or attempt.number != key.attempt:
        return
    if key.is_checkpoint:
        checkpoint = draft.state.specs[job.spec_id].checkpoint
        if checkpoint is not None:
            draft.emit(SaveCheckpoint(job.key, attempt.number, checkpoint.path))
            draft.emit(StartTimer(key, checkpoint.every_seconds))
        return
    if key.position == 0:
        cancel_job(draft, job, Reason.TIMEOUT)
        return
    attempt = attempt.seen_from(key.position)
    if attempt.strand.position == key.position and not attempt.post_position:
        attempt = attempt.with_job_step(replace(attempt.job_step, timed_out=True))
        draft.put(replace(job, attempt=stop_step(draft, job, attempt, force=False)))


def _go_on(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Go on in the strand in view: with a step, with what waited for it, or with the end of the attempt."""
    ended = advance(draft, job, attempt)
    if ended is None:
        return
    if ended.strand.is_background:
        _go_on_beside(draft, job, retire(ended))
    elif ended.beside:  # stopped by force: what runs in the background has been told, too
        draft.put(replace(job, attempt=ended))
    else:
        end_attempt(draft, job, settle(ended))


def _go_on_beside(draft: Draft, job: JobState, attempt: AttemptState) -> None:
    """Start background steps that have waited, and let the steps of the job go on if they waited for one that ended."""
    attempt = fill_slots(draft, job, attempt)
    step = attempt.job_step if attempt.strand.position else StepState()
    if step.status is Status.IN_PROGRESS and isinstance(attempt.step, WaitStep | CancelStep):
        done = finish_control(draft, job, attempt)
        if done is not None:
            _go_on(draft, job, done)
    elif step.status is Status.COMPLETED and attempt.strand.position == len(attempt.steps):
        _go_on(draft, job, attempt)
    else:
        draft.put(replace(job, attempt=attempt))
