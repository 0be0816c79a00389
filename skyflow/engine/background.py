"""Background steps: strands of their own beside the steps of the job, and the steps that wait for them or end them.

What a background step leaves behind (its outputs, its variables, its failure) is held back until a `wait`, `wait-all` or
`cancel` names it, so that nothing depends on how fast it was. The facts are GitHub's: its workflow syntax reference at
`jobs.<job_id>.steps[*].background`, and what its runner does where that says nothing.
"""

from dataclasses import replace

from skyflow.engine.attempt_state import AttemptState, Strand
from skyflow.engine.conditions import NeedsHash
from skyflow.engine.contexts import EvaluationError, Scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import HashFiles
from skyflow.engine.retries import stop_step
from skyflow.engine.state import JobState, Stop
from skyflow.engine.steps import authored_name, end_step, start_step, step_view
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import CancelStep, RunStep, Step, UsesStep, WaitStep

__all__ = [
    "MOST_AT_ONCE",
    "begin_control",
    "fill_slots",
    "finish_control",
    "holds",
    "is_background",
    "retire",
    "send_aside",
    "settle",
]

MOST_AT_ONCE = 10
"""How many background steps of a job run at once; GitHub's limit. Others wait for one to end."""


def is_background(step: RunStep | UsesStep, scope: Scope) -> bool:
    """Tell whether the next step starts while this one runs."""
    return step.guard is not None or scope.flag(step.background, default=False)


def holds(step: Step, scope: Scope) -> bool:
    """Tell whether a step's own condition holds, and that of the group around it."""
    return scope.flag(step.guard, default=True) and scope.flag(step.condition, default=True)


def send_aside(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """Let the step in view run in the background, now or when there are few enough of them."""
    strand = Strand(position=attempt.strand.position, is_background=True, hashes=attempt.strand.hashes)
    attempt = attempt.with_job_step(replace(attempt.job_step, is_background=True))
    attempt = attempt.with_strand(replace(attempt.strand, hashes=()))
    return fill_slots(draft, job, replace(attempt, beside=(*attempt.beside, strand)))


def fill_slots(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """Start the background steps that wait, as many as may run; the steps of the job are in view before and after."""
    while True:
        waiting = [strand for strand in attempt.beside if _is_waiting(attempt, strand)]
        if not waiting or len(attempt.beside) - len(waiting) >= MOST_AT_ONCE:
            return attempt
        attempt = _start(draft, job, attempt.seen_from(waiting[0].position)).seen_from()


def retire(attempt: AttemptState) -> AttemptState:
    """Put the background strand in view aside, which has ended, and return what the steps of the job see."""
    ended = attempt.strand
    attempt = attempt.seen_from()
    return replace(
        attempt,
        beside=tuple(strand for strand in attempt.beside if strand.position != ended.position),
        ended=(*attempt.ended, replace(ended, hashes=(), awaited=None)),
    )


def begin_control(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """Begin to wait, or to cancel; a step of this kind always runs.

    Returns:
        None while there is something to wait for; the attempt when there is nothing (any more).
    """
    attempt = start_step(draft, job, attempt, step_view(draft, job, attempt))
    if isinstance(attempt.step, CancelStep):
        attempt = _cancel(draft, job, attempt)
    return finish_control(draft, job, attempt)


def finish_control(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState | None:
    """End the wait in view if all has ended that it waits for; the answer is that of `begin_control`."""
    positions = _targets(attempt)
    if any(strand.position in positions for strand in attempt.beside):
        draft.put(replace(job, attempt=attempt))
        return None
    attempt = _let_out(attempt, positions)
    if isinstance(attempt.step, CancelStep):
        return end_step(draft, job, attempt, Conclusion.SUCCESS)
    states = {position: attempt.states[position - 1] for position in positions}
    if any(state.conclusion is Conclusion.CANCELLED and not state.is_cancelled for state in states.values()):
        return end_step(draft, job, attempt, Conclusion.CANCELLED, reason=attempt.cancel)
    failed = [position for position, state in states.items() if state.conclusion is Conclusion.FAILURE]
    if failed:
        message = _failure(attempt, failed)
        return end_step(draft, job, attempt, Conclusion.FAILURE, reason=Reason.STEP_FAILED, message=message)
    return end_step(draft, job, attempt, Conclusion.SUCCESS)


def settle(attempt: AttemptState) -> AttemptState:
    """Let out all that is still held back, at the end of the job's steps.

    A background step that failed fails the job, even if a wait for it was allowed to fail; one with `continue-on-error`
    has not failed.
    """
    attempt = _let_out(attempt, [strand.position for strand in attempt.ended])
    failed = [
        position
        for position, state in enumerate(attempt.states, start=1)
        if state.is_background and state.conclusion is Conclusion.FAILURE
    ]
    if not failed or attempt.verdict is not Conclusion.SUCCESS:
        return attempt
    attempt = attempt.with_verdict(Conclusion.FAILURE)
    return replace(attempt, reason=Reason.STEP_FAILED, message=attempt.hide(_failure(attempt, failed)))


def _start(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """Start the background step in view, unless it was cancelled while it waited."""
    if attempt.is_cancel_due:
        attempt = replace(attempt.with_verdict(Conclusion.CANCELLED), reason=attempt.cancel)
    try:
        view = step_view(draft, job, attempt)
        if attempt.job_step.is_cancelled:
            return _end_unstarted(draft, job, attempt, Reason.STEP_CANCELLED)
        if draft.state.stop is Stop.FORCED or (attempt.cancel is not None and not holds(attempt.step, view[0])):
            return _end_unstarted(draft, job, attempt, attempt.cancel)
        return start_step(draft, job, attempt, view)
    except NeedsHash as question:
        draft.emit(HashFiles(job.key, attempt.number, question.patterns, attempt.strand.position))
        return attempt.with_strand(replace(attempt.strand, is_asking=True))
    except EvaluationError as error:
        return retire(end_step(draft, job, attempt, Conclusion.FAILURE, reason=Reason.EXPRESSION, message=str(error)))


def _end_unstarted(draft: Draft, job: JobState, attempt: AttemptState, reason: Reason | None) -> AttemptState:
    return retire(end_step(draft, job, attempt, Conclusion.CANCELLED, reason=reason))


def _is_waiting(attempt: AttemptState, strand: Strand) -> bool:
    return attempt.states[strand.position - 1].status is Status.PENDING and not strand.is_asking


def _cancel(draft: Draft, job: JobState, attempt: AttemptState) -> AttemptState:
    """Stop the step that is to be cancelled, if it has not ended by itself."""
    [position] = _targets(attempt)
    if all(strand.position != position for strand in attempt.beside):
        return attempt
    attempt = attempt.seen_from(position)
    attempt = attempt.with_job_step(replace(attempt.job_step, is_cancelled=True))
    if _is_waiting(attempt, attempt.strand):
        return _end_unstarted(draft, job, attempt, Reason.STEP_CANCELLED)
    if attempt.job_step.status is Status.IN_PROGRESS:
        attempt = stop_step(draft, job, attempt, force=False)
    return attempt.seen_from()


def _targets(attempt: AttemptState) -> list[int]:
    """Return the positions of the steps that the step in view waits for or cancels."""
    step = attempt.step
    if isinstance(step, WaitStep) and step.targets is None:
        return sorted(strand.position for strand in (*attempt.beside, *attempt.ended))
    targets = (step.target,) if isinstance(step, CancelStep) else getattr(step, "targets", ())
    keys = {target.job_id for target in targets}
    return [position for position, other in enumerate(attempt.steps, start=1) if other.key in keys]


def _let_out(attempt: AttemptState, positions: list[int]) -> AttemptState:
    """Let later steps see what ended background steps have left behind."""
    states = list(attempt.states)
    for strand in attempt.ended:
        if strand.position in positions:
            states[strand.position - 1] = replace(states[strand.position - 1], is_held=False)
            attempt = replace(attempt, step_env=(*attempt.step_env, *strand.env), path=(*strand.path, *attempt.path))
    ended = tuple(strand for strand in attempt.ended if strand.position not in positions)
    return replace(attempt, states=tuple(states), ended=ended)


def _failure(attempt: AttemptState, positions: list[int]) -> str:
    names = [attempt.steps[position - 1].id or authored_name(attempt.steps[position - 1]) for position in positions]
    return f"failed in the background: {', '.join(names)}"
