"""Which step is next.

The steps of a job run one after the other, and so do those of a composite action within the step that uses it;
background steps are strands beside them.
"""

from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState
from skyflow.engine.background import begin_control, holds, is_background, send_aside
from skyflow.engine.conditions import NeedsHash
from skyflow.engine.contexts import EvaluationError
from skyflow.engine.draft import Draft
from skyflow.engine.effects import HashFiles
from skyflow.engine.jobs import skip_reason
from skyflow.engine.state import JobState, Stop
from skyflow.engine.steps import end_step, leave_action, start_step, step_view
from skyflow.model.status import Conclusion, Reason
from skyflow.model.workflow import RunStep, UsesStep

__all__ = ["advance"]


def advance(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """Begin the next step of the strand in view whose condition holds.

    Returns:
        None when a step was begun, or something has to be known or to end first; the attempt when the strand has ended.
    """
    while True:
        strand, top = attempt.strand, attempt.top
        has_next = any(call.position < len(call.steps) for call in strand.calls) or (
            not strand.is_background and strand.position < len(attempt.steps)
        )
        if attempt.is_cancel_due and has_next:
            attempt = replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel)
            top = attempt.top
        if attempt.is_inside and (top.position == len(top.steps) or attempt.job_step.timed_out):
            attempt = leave_action(draft, job, attempt)
            continue
        if not attempt.is_inside and (strand.is_background or top.position == len(top.steps)):
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
            position = strand.position if strand.is_background else 0
            draft.emit(HashFiles(job.key, attempt.number, question.patterns, position))
            return None
        except EvaluationError as error:
            ended = end_step(draft, job, attempt, Conclusion.FAILURE, reason=Reason.EXPRESSION, message=str(error))
        if ended is None:
            return None
        attempt = ended


def _begin(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """Begin the step in view; None when what follows has to wait for it, else the attempt."""
    step = attempt.step
    if not isinstance(step, RunStep | UsesStep):
        return begin_control(draft, job, attempt)
    view = step_view(draft, job, attempt)
    if not holds(step, view[0]):
        return end_step(draft, job, attempt, Conclusion.SKIPPED, reason=skip_reason(step.condition))
    if is_background(step, view[0]):
        return send_aside(draft, job, attempt)
    start_step(draft, job, attempt, view)
    return None
