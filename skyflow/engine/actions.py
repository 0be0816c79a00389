"""Actions: what a step that uses one does, once the action was looked up."""

from dataclasses import replace

from skyflow.engine.attempt_state import ActionCall, AttemptState, Post, StepSequence, StepState
from skyflow.engine.contexts import (
    EvaluationError,
    Scope,
    attempt_scope,
    environment,
    run_variables,
    search_path,
    step_scope,
)
from skyflow.engine.draft import Draft
from skyflow.engine.effects import StartAction
from skyflow.engine.state import JobState
from skyflow.model.action import Action, CompositeRuns, NodeRuns
from skyflow.model.execution import ActionRequest, Pairs
from skyflow.model.status import Conclusion
from skyflow.model.uses import BuiltInAction, LoadedAction, LocalAction
from skyflow.model.workflow import UsesStep

__all__ = ["MOST_NESTED", "begin_action", "close_action"]

MOST_NESTED = 10
"""How deep composite actions may use each other; GitHub's limit."""
_STEP_FAILED = "a step of the action failed"


def begin_action(draft: Draft, job: JobState, attempt: AttemptState, action: LoadedAction) -> AttemptState:
    """Do what the step under way uses: start it, or put the steps of a composite action on the stack.

    Raises:
        EvaluationError: an input cannot be evaluated, or actions are nested too deep.
        NeedsHash: an input asks for the hash of files first.
    """
    step = attempt.step
    assert isinstance(step, UsesStep)  # noqa: S101 -- only these are looked up
    step_env = step_scope(draft.state, job, attempt, step).variables(step.env)
    scope = step_scope(draft.state, job, attempt, step, step_env)
    given = scope.variables(step.inputs)
    if isinstance(action, BuiltInAction):
        request = ActionRequest(name=action.name, inputs=_merged(action.inputs, given))
        condition = action.post_if if action.has_post else None
        return _start(draft, job, attempt, request, condition, step_env, step)
    inputs = _with_defaults(scope, action.action, given)
    runs = action.action.runs
    if isinstance(runs, CompositeRuns):
        return _enter(attempt, action, runs, inputs, step_env)
    if isinstance(runs, NodeRuns):
        folder = action.folder
        request = ActionRequest(
            name="", script=f"{folder}/{runs.main}", inputs=inputs, env=(("GITHUB_ACTION_PATH", folder),)
        )
        condition = (runs.post_if or "always()") if runs.post else None
        attempt = _start(draft, job, attempt, request, condition, step_env, step)
        state = attempt.top.state
        if state.post is not None:
            post = replace(state.post, request=replace(state.post.request, script=f"{folder}/{runs.post}"))
            attempt = attempt.with_top(attempt.top.with_state(replace(state, post=post)))
        return attempt
    raise EvaluationError(
        f"{step.uses} is a container image, which skyflow cannot run yet: write its commands in steps, with the image as the "
        "`container` of the job"
    )


def close_action(
    draft: Draft, job: JobState, attempt: AttemptState
) -> tuple[AttemptState, Conclusion, Pairs, str | None]:
    """Take a composite action off the stack.

    Returns:
        The attempt with the step that used it under way again; how the action ended; its outputs; why it failed.
    """
    done = attempt.top
    outcome, message = done.verdict, None
    outputs: Pairs = ()
    if done.call is not None:
        scope = attempt_scope(draft.state, job, attempt)
        declared = tuple((output.name, output.value) for output in done.call.action.outputs if output.value is not None)
        try:
            outputs = scope.variables(declared)
        except EvaluationError as error:
            outcome, message = Conclusion.FAILURE, str(error)
    if outcome is Conclusion.FAILURE and message is None:
        message = _failure_of(done)
    strand = replace(attempt.strand, calls=attempt.strand.calls[:-1])
    return attempt.with_strand(strand), outcome, outputs, message


def _failure_of(done: StepSequence) -> str:
    """Return why an action failed; in an action within an action, the innermost reason is what a reader needs."""
    why = done.failure or ""
    return why if why.startswith(_STEP_FAILED) else f"{_STEP_FAILED}{': ' if why else ''}{why}"


def _enter(
    attempt: AttemptState, action: LocalAction, runs: CompositeRuns, inputs: Pairs, step_env: Pairs
) -> AttemptState:
    if len(attempt.strand.calls) >= MOST_NESTED:
        raise EvaluationError(f"actions use each other more than {MOST_NESTED} deep: {action.action.path}")
    call = ActionCall(action=action.action, folder=action.folder, inputs=inputs, env=step_env)
    sequence = StepSequence(
        steps=runs.steps,
        states=tuple(StepState() for _ in runs.steps),
        call=call,
        verdict=Conclusion.CANCELLED if attempt.verdict is Conclusion.CANCELLED else Conclusion.SUCCESS,
    )
    return attempt.with_strand(replace(attempt.strand, calls=(*attempt.strand.calls, sequence)))


def _start(  # noqa: PLR0917 -- three of them say where we are
    draft: Draft,
    job: JobState,
    attempt: AttemptState,
    request: ActionRequest,
    post_condition: str | None,
    step_env: Pairs,
    step: UsesStep,
) -> AttemptState:
    scope = step_scope(draft.state, job, attempt, step, step_env)
    layers = (*environment(attempt), step_env, run_variables(draft.state, scope, job, attempt, step.key), request.env)
    request = replace(request, env=tuple(pair for layer in layers for pair in layer), path=search_path(attempt))
    if post_condition is not None:
        name = f"Post {step.name.template.source if step.name else f'Run {step.uses}'}"
        post = Post(name=name, request=replace(request, phase="post"), condition=post_condition)
        attempt = attempt.with_top(attempt.top.with_state(replace(attempt.top.state, post=post)))
    draft.emit(StartAction(attempt.ref(job.key), request))
    return attempt


def _with_defaults(scope: Scope, action: Action, given: Pairs) -> Pairs:
    """Return the inputs an action sees: what was given, else the default, else empty; undeclared ones are dropped."""
    found = {name.lower(): value for name, value in given}
    return tuple(
        (spec.name, found.get(spec.name.lower(), scope.optional_text(spec.default) or "")) for spec in action.inputs
    )


def _merged(defaults: Pairs, given: Pairs) -> Pairs:
    merged = {name.lower(): (name, value) for name, value in defaults}
    merged.update({name.lower(): (name, value) for name, value in given})
    return tuple(merged.values())
