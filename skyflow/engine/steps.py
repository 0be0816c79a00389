"""Steps: what one is asked to do, and what its end means.

Only the steps of the job itself are recorded; what happens inside a composite action belongs to the step that uses it.
"""

from dataclasses import replace

from skyflow.engine.actions import close_action
from skyflow.engine.attempt_state import AttemptState, StepState
from skyflow.engine.contexts import Scope, environment, run_variables, search_path, step_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, LoadAction, StartStep, StartTimer, TimerKey
from skyflow.engine.state import JobState
from skyflow.model.annotation import Annotation
from skyflow.model.execution import Pairs, StepRequest, StepResult
from skyflow.model.run import Json
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import CancelStep, Defaults, RunStep, Step, UsesStep, WaitStep

__all__ = ["absorb", "authored_name", "end_step", "judge", "leave_action", "start_step", "step_view"]

_DEFAULT_NAME_LENGTH = 60


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
    forgiven = outcome is Conclusion.FAILURE and old.continue_on_error and reason is not Reason.PREEMPTED
    step = replace(
        old,
        status=Status.COMPLETED,
        outcome=outcome,
        conclusion=Conclusion.SUCCESS if forgiven else outcome,
        outputs=outputs,
    )
    annotations = (*attempt.strand.annotations, *annotations)
    if attempt.is_inside:
        attempt = attempt.with_strand(replace(attempt.strand, annotations=annotations, hashes=()))
        return _with_consequences(attempt.with_top(attempt.top.with_state(step)), step, message)
    step = replace(step, is_held=attempt.strand.is_background)
    data: dict[str, Json] = {} if exit_code is None else {"exit_code": exit_code}
    if annotations:
        data["annotations"] = [{**annotation.to_json()} for annotation in annotations]
    attempt = attempt.with_strand(replace(attempt.strand, annotations=(), hashes=())).with_job_step(step)
    draft.move_step(job, attempt, attempt.strand.position, step, old.status, reason=reason, message=message, data=data)
    return _with_consequences(attempt, step, message)


def absorb(attempt: AttemptState, result: StepResult) -> AttemptState:
    """Take in what a step wrote for those after it."""
    state = attempt.top.state
    if state.post is not None:
        post = replace(state.post, request=replace(state.post.request, state=result.state))
        attempt = replace(attempt, posts=(post, *attempt.posts))
    attempt = replace(attempt, masks=result.masks or attempt.masks)
    if attempt.strand.is_background:
        strand = attempt.strand
        return attempt.with_strand(replace(strand, env=(*strand.env, *result.env), path=(*result.path, *strand.path)))
    return replace(attempt, step_env=(*attempt.step_env, *result.env), path=(*result.path, *attempt.path))


def judge(  # noqa: PLR0911 -- one way out per kind of end
    result: StepResult, state: StepState, cancel: Reason | None
) -> tuple[Conclusion, Reason | None, str | None]:
    """Return how a step ended, and why, from what its process did and what it was told."""
    if state.timed_out:
        return Conclusion.FAILURE, Reason.TIMEOUT, "took longer than its timeout-minutes"
    if result.preempted:
        return Conclusion.FAILURE, Reason.PREEMPTED, "its machine was taken away"
    if result.stopped:
        return Conclusion.CANCELLED, Reason.STEP_CANCELLED if state.is_cancelled else cancel, None
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


def step_view(draft: Draft, job: JobState, attempt: AttemptState) -> tuple[Scope, Pairs]:
    """Return what the step in view sees, and its own environment.

    Raises:
        EvaluationError: its environment cannot be evaluated.
        NeedsHash: that asks for the hash of files first.
    """
    scope = step_scope(draft.state, job, attempt, attempt.step)
    step_env = scope.variables(attempt.step.env)
    return (step_scope(draft.state, job, attempt, attempt.step, step_env) if step_env else scope), step_env


def start_step(draft: Draft, job: JobState, attempt: AttemptState, view: tuple[Scope, Pairs]) -> AttemptState:
    """Start the step in view, whose condition holds, and put the job with it.

    Raises:
        EvaluationError: one of its keys cannot be evaluated.
        NeedsHash: one of them asks for the hash of files first.
    """
    step, (scope, step_env) = attempt.step, view
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
    if not attempt.is_inside:
        draft.move_step(job, attempt, ref.position, begun, Status.PENDING, data={"name": attempt.hide(name)})
        if minutes is not None:
            draft.emit(StartTimer(TimerKey(job.key, attempt.number, ref.position), minutes * 60))
    if request is not None:
        draft.emit(StartStep(ref, request))
    elif isinstance(step, UsesStep):
        draft.emit(LoadAction(ref, step.uses))
    return attempt


def _request(  # noqa: PLR0917 -- three of them say where we are
    draft: Draft, job: JobState, attempt: AttemptState, step: RunStep, script: str, step_env: Pairs, scope: Scope
) -> StepRequest:
    defaults = _defaults(draft, job, attempt)
    layers = (*environment(attempt), step_env, run_variables(draft.state, scope, job, attempt, step.key))
    return StepRequest(
        script=script,
        shell=scope.optional_text(step.shell) or scope.optional_text(defaults.shell),
        working_directory=scope.optional_text(step.working_directory)
        or scope.optional_text(defaults.working_directory),
        env=tuple(pair for layer in layers for pair in layer),
        path=search_path(attempt),
    )


def leave_action(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """End the step that used a composite action whose steps have ended."""
    attempt, outcome, outputs, message = close_action(draft, job, attempt)
    state = attempt.job_step
    reason: Reason | None = None
    if state.timed_out:
        outcome, reason, message = Conclusion.FAILURE, Reason.TIMEOUT, "took longer than its timeout-minutes"
    elif outcome is Conclusion.FAILURE:
        reason = Reason.STEP_FAILED
    elif outcome is Conclusion.CANCELLED:
        reason = Reason.STEP_CANCELLED if state.is_cancelled else attempt.cancel
    if not attempt.is_inside:
        draft.emit(CancelTimer(TimerKey(job.key, attempt.number, attempt.strand.position)))
    return end_step(draft, job, attempt, outcome, reason=reason, message=message, outputs=outputs)


def _with_consequences(attempt: AttemptState, step: StepState, message: str | None) -> AttemptState:
    """Let a step that failed or was cancelled change the status of the steps around it.

    The failure of a background step has none before something waits for it, and what a `cancel` step ended has none at
    all for the job.
    """
    if step.conclusion is Conclusion.CANCELLED:
        if attempt.cancel is None and attempt.job_step.is_cancelled:
            return attempt.with_inner_verdict(Conclusion.CANCELLED)
        return replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel, message=None)
    if step.is_held or step.conclusion is not Conclusion.FAILURE or attempt.top.verdict is not Conclusion.SUCCESS:
        return attempt
    attempt = attempt.with_top(replace(attempt.top, verdict=Conclusion.FAILURE, failure=message))
    return attempt if attempt.is_inside else replace(attempt, reason=Reason.STEP_FAILED, message=message)


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
    """Return what a step without a name is called: what it does, and its action or the first line of its script."""
    if isinstance(step, UsesStep):
        return f"Run {step.uses}"
    if isinstance(step, CancelStep):
        return f"Cancel {step.target.job_id}"
    if isinstance(step, WaitStep):
        named = "all background steps" if step.targets is None else ", ".join(each.job_id for each in step.targets)
        return _cut(f"Wait for {named}")
    lines = script.strip().splitlines()
    return f"Run {_cut(lines[0] if lines else '')}"


def _cut(text: str) -> str:
    return text if len(text) <= _DEFAULT_NAME_LENGTH else text[: _DEFAULT_NAME_LENGTH - 3] + "..."
