"""Jobs that call a whole other workflow: its jobs become part of the run, under the key of the calling job."""

from collections.abc import Mapping
from dataclasses import replace

from skyflow.engine.contexts import EvaluationError, Scope, job_scope
from skyflow.engine.draft import Draft
from skyflow.engine.jobs import complete_job, settle_if_ready
from skyflow.engine.state import JobState, RunState
from skyflow.expr import BUILTINS, Object, Value, to_string, truthy
from skyflow.expr.values import to_number
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import CallInput, CallInterface, CallSpec, InputType, Workflow

__all__ = ["open_call", "with_callee"]


def open_call(draft: Draft, job: JobState) -> None:
    """Begin a queued job that calls a workflow: create the jobs of that which need nothing."""
    draft.dequeue(job.key)
    job = draft.move_job(replace(job, status=Status.IN_PROGRESS), Status.QUEUED, data={"name": job.name})
    try:
        draft.state = with_callee(draft.state, job)
    except EvaluationError as error:
        complete_job(draft, job, Conclusion.FAILURE, reason=Reason.EXPRESSION, message=draft.state.hide(str(error)))
        return
    for spec_id in draft.state.frames[job.key].spec_ids:
        settle_if_ready(draft, draft.state.specs[spec_id])


def with_callee(state: RunState, job: JobState) -> RunState:
    """Return the state with the workflow that a job calls, and what the job passes to it.

    Raises:
        EvaluationError: an input cannot be evaluated, or the workflow is not there.
    """
    spec = state.specs[job.spec_id]
    if spec.call is None or spec.call.uses not in state.callees:
        raise EvaluationError(f"there is no workflow to call: {spec.call.uses if spec.call else spec.id}")
    callee = state.callees[spec.call.uses]
    contexts = dict(state.frame_of(spec.id).contexts)
    scope = job_scope(state, spec, job)
    contexts["inputs"] = _inputs(spec.call, callee, contexts, scope)
    contexts["secrets"] = _secrets(spec.call, callee, contexts.get("secrets"), scope)
    return state.with_frame(job.key, callee, contexts)


def _inputs(call: CallSpec, callee: Workflow, contexts: Mapping[str, Value], scope: Scope) -> Object:
    given = {name.lower(): scope.value(value) for name, value in call.inputs}
    defaults = Scope(callee.path, contexts, BUILTINS)
    return Object(
        (declared.name, _typed(declared, given.get(declared.name.lower()), defaults))
        for declared in (callee.call or CallInterface()).inputs
    )


def _typed(declared: CallInput, given: Value, defaults: Scope) -> Value:
    """Return the value of an input as its type wants it; one that is not set is empty, false or 0."""
    if given is None and declared.default is not None:
        given = defaults.value(declared.default)
    if declared.type is InputType.BOOLEAN:
        return truthy(given)
    return to_number(given) if declared.type is InputType.NUMBER else to_string(given)


def _secrets(call: CallSpec, callee: Workflow, ours: Value, scope: Scope) -> Value:
    if call.inherit_secrets:
        return ours
    given = {name.lower(): value for name, value in scope.variables(call.secrets)}
    declared = (callee.call or CallInterface()).secrets
    return Object((secret.name, given.get(secret.name.lower(), "")) for secret in declared)
