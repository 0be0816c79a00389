"""Steps: which is next, what it is asked to do, and what its end means.

The steps of a job run one after the other, and so do those of a composite action within the step that uses it: both are
a `StepSequence`, the innermost of which is on top of the attempt's stack. Only the steps of the job itself are recorded;
what happens inside an action belongs to the step that uses it.
"""

from dataclasses import replace

from skyflow.engine.actions import close_action
from skyflow.engine.conditions import NeedsHash
from skyflow.engine.contexts import EvaluationError, Scope, environment, run_variables, step_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, HashFiles, LoadAction, StartStep, StartTimer, TimerKey
from skyflow.engine.jobs import skip_reason
from skyflow.engine.state import AttemptState, JobState, StepState, Stop
from skyflow.model.annotation import Annotation
from skyflow.model.execution import Pairs, StepRequest, StepResult
from skyflow.model.run import Json
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import Defaults, RunStep, Step, UsesStep

__all__ = ["absorb", "advance", "authored_name", "end_step", "judge"]

_DEFAULT_NAME_LENGTH = 60


def advance(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """Begin the next step whose condition holds.

    Returns:
        None when a step was begun, or something has to be known first; the attempt when all its steps have ended.
    """
    while True:
        if attempt.cancel is not None and attempt.verdict is not Conclusion.CANCELLED and _has_next(attempt):
            attempt = replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel)
        top = attempt.top
        if top.call is not None and (top.position == len(top.steps) or attempt.stack[0].state.timed_out):
            attempt = _leave_action(draft, job, attempt)
            continue
        if top.position == len(top.steps):
            return attempt
        before = attempt
        attempt = attempt.with_top(replace(top, position=top.position + 1))
        if draft.state.stop is Stop.FORCED:
            attempt = end_step(draft, job, attempt, Conclusion.CANCELLED, reason=attempt.cancel)
            continue
        try:
            ended = _begin(draft, job, attempt)
        except NeedsHash as question:
            draft.put(replace(job, attempt=before))
            draft.emit(HashFiles(job.key, attempt.number, question.patterns))
            return None
        except EvaluationError as error:
            ended = end_step(draft, job, attempt, Conclusion.FAILURE, reason=Reason.EXPRESSION, message=str(error))
        if ended is None:
            return None
        attempt = ended


def end_step(
    draft: Draft,
    job: JobState,
    attempt: AttemptState,
    outcome: Conclusion,
    *,
    reason: Reason | None = None,
    message: str | None = None,
    outputs: Pairs = (),
    exit_code: int | None = None,
    annotations: tuple[Annotation, ...] = (),
) -> AttemptState:
    """Complete the step under way and return the attempt with it."""
    old = attempt.top.state
    message = message and attempt.hide(message)
    forgiven = outcome is Conclusion.FAILURE and old.continue_on_error
    step = replace(
        old,
        status=Status.COMPLETED,
        outcome=outcome,
        conclusion=Conclusion.SUCCESS if forgiven else outcome,
        outputs=outputs,
    )
    attempt = replace(attempt.with_top(attempt.top.with_state(step)), hashes=())
    attempt = _with_consequences(attempt, step, message)
    if len(attempt.stack) == 1:
        data: dict[str, Json] = {} if exit_code is None else {"exit_code": exit_code}
        annotations = (*attempt.annotations, *annotations)
        if annotations:
            data["annotations"] = [{**annotation.to_json()} for annotation in annotations]
        attempt = replace(attempt, annotations=())
        position = attempt.top.position
        draft.move_step(job, attempt, position, step, old.status, reason=reason, message=message, data=data)
    else:
        attempt = replace(attempt, annotations=(*attempt.annotations, *annotations))
    return attempt


def absorb(attempt: AttemptState, result: StepResult) -> AttemptState:
    """Take in what a step wrote for those after it."""
    state = attempt.top.state
    if state.post is not None:
        post = replace(state.post, request=replace(state.post.request, state=result.state))
        attempt = replace(attempt, posts=(post, *attempt.posts))
    return replace(
        attempt,
        step_env=(*attempt.step_env, *result.env),
        path=(*result.path, *attempt.path),
        masks=result.masks or attempt.masks,
    )


def judge(
    result: StepResult, *, timed_out: bool, cancel: Reason | None
) -> tuple[Conclusion, Reason | None, str | None]:
    """Return how a step ended, and why."""
    if timed_out:
        return Conclusion.FAILURE, Reason.TIMEOUT, "took longer than its timeout-minutes"
    if result.stopped:
        return Conclusion.CANCELLED, cancel, None
    if result.not_started is not None:
        return Conclusion.FAILURE, Reason.NOT_STARTED, result.not_started
    if result.exit_code != 0:
        return Conclusion.FAILURE, Reason.EXIT_CODE, f"exit code {result.exit_code}"
    if result.file_error is not None:
        return Conclusion.FAILURE, Reason.FILE_COMMAND, result.file_error
    return Conclusion.SUCCESS, None, None


def authored_name(step: Step) -> str:
    """Return the name of a step before its expressions are evaluated."""
    if step.name is not None:
        return step.name.template.source
    return _default_name(step, step.run.template.source if isinstance(step, RunStep) else "")


def _begin(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """Begin the step under way; None when it has begun, the attempt with the step completed when it is skipped."""
    step = attempt.top.steps[attempt.top.position - 1]
    scope = step_scope(draft.state, job, attempt, step)
    step_env = scope.variables(step.env)
    if step_env:
        scope = step_scope(draft.state, job, attempt, step, step_env)
    if not scope.flag(step.condition, default=True):
        return end_step(draft, job, attempt, Conclusion.SKIPPED, reason=skip_reason(step.condition))
    script = scope.text(step.run) if isinstance(step, RunStep) else ""
    # hidden before it is cut to one short line, which might leave half of something hidden
    name = scope.text(step.name) if step.name is not None else _default_name(step, attempt.hide(script))
    begun = replace(
        attempt.top.state,
        status=Status.IN_PROGRESS,
        continue_on_error=scope.flag(step.continue_on_error, default=False),
    )
    minutes = scope.number(step.timeout_minutes)
    request = _request(draft, job, attempt, step, script, step_env, scope) if isinstance(step, RunStep) else None
    if isinstance(step, RunStep) and step.retry is not None:
        begun = replace(begun, request=request)
    attempt = attempt.with_top(attempt.top.with_state(begun))
    draft.put(replace(job, attempt=attempt))
    ref = attempt.ref(job.key)
    if len(attempt.stack) == 1:
        draft.move_step(job, attempt, ref.position, begun, Status.PENDING, data={"name": attempt.hide(name)})
        if minutes is not None:
            draft.emit(StartTimer(TimerKey(job.key, attempt.number, ref.position), minutes * 60))
    if request is not None:
        draft.emit(StartStep(ref, request))
    elif isinstance(step, UsesStep):
        draft.emit(LoadAction(ref, step.uses))
    return None


def _request(  # noqa: PLR0917 -- three of them say where we are
    draft: Draft, job: JobState, attempt: AttemptState, step: RunStep, script: str, step_env: Pairs, scope: Scope
) -> StepRequest:
    defaults = _defaults(draft, job, attempt)
    layers = (*environment(attempt), step_env, run_variables(scope, job, attempt, step.key))
    return StepRequest(
        script=script,
        shell=scope.optional_text(step.shell) or scope.optional_text(defaults.shell),
        working_directory=scope.optional_text(step.working_directory)
        or scope.optional_text(defaults.working_directory),
        env=tuple(pair for layer in layers for pair in layer),
        path=attempt.path,
    )


def _leave_action(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """End the step that used a composite action whose steps have ended."""
    attempt, outcome, outputs, message = close_action(draft, job, attempt)
    timed_out = attempt.top.state.timed_out
    if timed_out:
        outcome, message = Conclusion.FAILURE, "took longer than its timeout-minutes"
    reason = {Conclusion.FAILURE: Reason.STEP_FAILED, Conclusion.CANCELLED: attempt.cancel}.get(outcome)
    draft.emit(CancelTimer(TimerKey(job.key, attempt.number, attempt.stack[0].position)))
    return end_step(
        draft,
        job,
        attempt,
        outcome,
        reason=Reason.TIMEOUT if timed_out else reason,
        message=message,
        outputs=outputs,
    )


def _with_consequences(attempt: AttemptState, step: StepState, message: str | None) -> AttemptState:
    """Let a step that failed or was cancelled change the status of the steps around it."""
    if step.conclusion is Conclusion.CANCELLED:
        return replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel, message=None)
    if step.conclusion is not Conclusion.FAILURE or attempt.top.verdict is not Conclusion.SUCCESS:
        return attempt
    attempt = attempt.with_top(replace(attempt.top, verdict=Conclusion.FAILURE))
    return replace(attempt, reason=Reason.STEP_FAILED, message=message) if len(attempt.stack) == 1 else attempt


def _has_next(attempt: AttemptState) -> bool:
    return any(sequence.position < len(sequence.steps) for sequence in attempt.stack)


def _defaults(draft: Draft, job: JobState, attempt: AttemptState) -> Defaults:
    """Return `defaults.run` as it applies: the job's before the workflow's, and none inside an action."""
    if attempt.top.call is not None:
        return Defaults()
    own = draft.state.specs[job.spec_id].defaults
    common = draft.state.frame_of(job.spec_id).workflow.defaults
    return Defaults(
        shell=own.shell or common.shell, working_directory=own.working_directory or common.working_directory
    )


def _default_name(step: Step, script: str) -> str:
    """Return what a step without a name is called: `Run` and its action, or the first line of its script."""
    if isinstance(step, UsesStep):
        return f"Run {step.uses}"
    lines = script.strip().splitlines()
    first = lines[0] if lines else ""
    return "Run " + (first if len(first) <= _DEFAULT_NAME_LENGTH else first[: _DEFAULT_NAME_LENGTH - 3] + "...")
