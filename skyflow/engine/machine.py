"""The engine's decisions: `handle(state, event) -> (state', effects)`, pure.

The same state and event always give the same answer; nothing is read, written, started or waited for here.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from skyflow.engine.attempts import (
    action_loaded,
    containers_started,
    files_hashed,
    start_attempt,
    step_ended,
    take_up_attempt,
    timer_fired,
)
from skyflow.engine.calls import open_call
from skyflow.engine.contexts import EvaluationError, Scope, job_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import Effect, ReleaseGroup
from skyflow.engine.events import (
    ActionLoaded,
    CancelRequested,
    ContainersStarted,
    Event,
    FilesHashed,
    GroupMoved,
    LookedUp,
    Replanned,
    RunBegun,
    Spent,
    StepEnded,
    StopRequested,
    TimerFired,
)
from skyflow.engine.jobs import (
    cancel_job,
    cancel_late,
    complete_job,
    fail_fast,
    group_request,
    jobs_known,
    request_group,
    settle_all,
    settle_dependents,
    wait_for_new_starts,
    wait_for_start,
)
from skyflow.engine.losses import lose_attempt, machine_lost
from skyflow.engine.state import JobState, RunState, Stop
from skyflow.expr import BUILTINS
from skyflow.model.concurrency import GroupMove
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.units import format_usd

__all__ = ["THE_RUN", "handle"]

_CENT_FRACTION = 1e-9
"""What sums of prices may differ by without meaning anything, in US dollars."""

THE_RUN = ""
"""The holder of the concurrency group of a whole run."""


def handle(state: RunState, event: Event) -> tuple[RunState, tuple[Effect, ...]]:  # noqa: C901, PLR0912 -- one case per event
    """Decide what follows from an event.

    Returns:
        The next state, and what the driver has to do, in order.

    Raises:
        InternalError: the event cannot happen in this state; a bug.
    """
    draft = Draft(state)
    match event:
        case RunBegun(kept=kept, held=held):
            _begin(draft, kept, held)
        case StepEnded(step=step, result=result) if result.lost is not None:
            machine_lost(draft, step, result.lost)
        case StepEnded(step=step, result=result):
            step_ended(draft, step, result)
        case ContainersStarted(step=step, result=result, containers=containers):
            containers_started(draft, step, result, containers)
        case ActionLoaded(step=step, action=action, error=error):
            action_loaded(draft, step, action, error)
        case FilesHashed(asked=asked, digest=digest, error=error):
            files_hashed(draft, asked, digest, error)
        case GroupMoved(holder=holder, move=move):
            _group_moved(draft, holder, move)
        case TimerFired(key=timer):
            timer_fired(draft, timer)
        case StopRequested(force=force):
            _stop(draft, force=force)
        case CancelRequested():
            _cancel_run(draft)
        case LookedUp(spec_id=spec_id, answers=answers):
            jobs_known(draft, spec_id, answers)
        case Replanned(rooms=rooms, prices=prices, not_before=not_before):
            draft.state = replace(draft.state, rooms=rooms, prices=prices, not_before=not_before)
            wait_for_new_starts(draft)
        case Spent(job_key=key, attempt=number, usd=usd):
            committed = {which: planned for which, planned in draft.state.committed.items() if which != (key, number)}
            draft.state = replace(draft.state, spent=draft.state.spent + usd, committed=committed)
    cancel_late(draft)
    settle_dependents(draft)
    if draft.state.stop is None and draft.state.status is Status.IN_PROGRESS:
        _start_queued(draft)
    _settle_run(draft)
    return draft.state, tuple(draft.effects)


def _begin(draft: Draft, kept: Mapping[tuple[str, int], float], held: frozenset[str]) -> None:
    """Begin, or go on; a run with a concurrency group waits until that is free."""
    concurrency = draft.state.root.workflow.concurrency
    if concurrency is None or THE_RUN in held:
        _go_on(draft, kept, held)
        return
    scope = Scope(draft.state.root.workflow.path, draft.state.root.contexts, BUILTINS)
    try:
        group = scope.optional_text(concurrency.group)
        request = None if group is None else group_request(scope, concurrency, THE_RUN, group)
    except EvaluationError as error:
        draft.move_run(
            draft.state.status,
            Status.COMPLETED,
            conclusion=Conclusion.FAILURE,
            reason=Reason.EXPRESSION,
            message=draft.state.hide(str(error)),
        )
        return
    if request is None:
        _go_on(draft, kept, held)
    else:
        draft.emit(request)


def _go_on(
    draft: Draft,
    kept: Mapping[tuple[str, int], float] = MappingProxyType({}),
    held: frozenset[str] = frozenset(),
) -> None:
    """Take up every job that is not completed.

    One that waits for a concurrency group has to ask for it again. One that has lost its group, because nothing of the run
    was alive when another wanted it, cannot go on where it was either: others have been at work in between.
    """
    if draft.state.status is not Status.IN_PROGRESS:  # it is when the driver before us died
        draft.move_run(draft.state.status, Status.IN_PROGRESS)
    for job in list(draft.state.jobs.values()):
        if job.attempt is None:
            continue
        seconds = kept.get((job.key, job.attempt.number))
        has_lost_group = job.group is not None and job.key not in held
        if seconds is None or has_lost_group:
            lose_attempt(draft, job)
        else:
            _commit(draft, job, job.attempt.number)
            take_up_attempt(draft, draft.put(replace(job, is_granted=job.group is not None)), seconds)
    for job in list(draft.state.jobs.values()):
        fail_fast(draft, job)  # its driver may have died before it could
        if job.key in held and job.status is Status.COMPLETED:
            draft.emit(ReleaseGroup(job.key))
    for key in draft.state.queue:
        wait_for_start(draft, draft.state.jobs[key])
        request_group(draft, draft.state.jobs[key])
    if draft.state.root.cancelled is not None:
        _cancel(draft, draft.state.root.cancelled)
    settle_all(draft)


def _stop(draft: Draft, *, force: bool) -> None:
    draft.state = replace(draft.state, stop=Stop.FORCED if force else Stop.GRACEFUL)
    for key in draft.state.active:
        cancel_job(draft, draft.state.jobs[key], Reason.INTERRUPTED, force=force)


def _cancel_run(draft: Draft) -> None:
    """Do what the user asked for; asked again, nothing more happens."""
    status = draft.state.status
    if status is Status.IN_PROGRESS:
        if draft.state.root.cancelled is None:
            _cancel(draft, Reason.CANCELLED)
    elif status is not Status.COMPLETED:
        draft.move_run(status, Status.COMPLETED, conclusion=Conclusion.CANCELLED, reason=Reason.CANCELLED)


def _cancel(draft: Draft, reason: Reason) -> None:
    """Cancel the run: every job whose condition no longer holds, now that `cancelled()` is true."""
    draft.cancel_frame("", reason)
    for key in (*draft.state.queue, *draft.state.active):
        job = draft.state.jobs[key]
        spec = draft.state.specs[job.spec_id]
        try:
            goes_on = job_scope(draft.state, spec).flag(spec.condition, default=True)
        except EvaluationError:  # it could be evaluated before; what cannot now does not ask to go on
            goes_on = False
        if not goes_on:
            cancel_job(draft, job, reason)


def _group_moved(draft: Draft, holder: str, move: GroupMove) -> None:
    if holder == THE_RUN:
        _run_group_moved(draft, move)
        return
    job = draft.state.jobs[holder]
    if job.status is Status.COMPLETED:
        return
    if move is GroupMove.GRANTED:
        draft.put(replace(job, is_granted=True))
    else:
        cancel_job(draft, job, Reason.SUPERSEDED)


def _run_group_moved(draft: Draft, move: GroupMove) -> None:
    if move is GroupMove.GRANTED:
        if draft.state.stop is None:
            _go_on(draft)
    elif draft.state.status is not Status.IN_PROGRESS:
        draft.move_run(draft.state.status, Status.COMPLETED, conclusion=Conclusion.CANCELLED, reason=Reason.SUPERSEDED)
    elif draft.state.root.cancelled is None:
        _cancel(draft, Reason.SUPERSEDED)


def _start_queued(draft: Draft) -> None:
    """Give free slots to queued jobs, first come first served, within each matrix's `max-parallel`."""
    while max((free := _free(draft.state)).values()) > 0:
        job = _first_with_room(draft.state, free)
        if job is None:
            if _give_up_unaffordable(draft):
                continue  # what needs the jobs that were given up may run all the same
            return
        _commit(draft, job, job.attempts + 1)
        if draft.state.specs[job.spec_id].call is None:
            start_attempt(draft, job)
        else:
            open_call(draft, job)
        settle_dependents(draft)  # an attempt without a step to run is over at once


def _first_with_room(state: RunState, free: Mapping[str, int]) -> JobState | None:
    """Return the first job of the queue for which there is room; nobody takes what one before it waits for."""
    full: set[str] = set()
    for job in (state.jobs[key] for key in state.queue):
        pool = state.rooms.pool_of(job.key)
        if pool in full or not _may_start(state, job):
            continue
        if state.rooms.slots_of(job.key) <= free.get(pool, 0):
            return job
        full.add(pool)
    return None


def _free(state: RunState) -> Mapping[str, int]:
    return state.rooms.free(state.active, state.slots)


def _may_start(state: RunState, job: JobState) -> bool:
    is_ready = (job.group is None or job.is_granted) and not job.is_paused
    return is_ready and not _is_at_limit(state, job) and _is_affordable(state, job)


def _is_affordable(state: RunState, job: JobState) -> bool:
    """Tell whether what was spent, what is committed, and this job stay within the budget."""
    budget = state.options.budget_usd
    if budget is None:
        return True
    return state.spent + sum(state.committed.values()) + state.price_of(job) <= budget + _CENT_FRACTION


def _commit(draft: Draft, job: JobState, attempt: int) -> None:
    if draft.state.options.budget_usd is not None and draft.state.price_of(job) > 0:
        committed = {**draft.state.committed, (job.key, attempt): draft.state.price_of(job)}
        draft.state = replace(draft.state, committed=committed)


def _give_up_unaffordable(draft: Draft) -> bool:
    """Cancel the jobs that the budget does not allow, once nothing is under way that might cost less than planned."""
    if draft.state.active or draft.state.committed:
        return False
    queue = draft.state.queue
    for key in queue:
        job = draft.state.jobs[key]
        if not _is_affordable(draft.state, job):
            amounts = (draft.state.spent, draft.state.price_of(job), draft.state.options.budget_usd or 0.0)
            spent, price, budget = map(format_usd, amounts)
            message = f"{spent} is spent and it would cost {price}; the budget is {budget}"
            complete_job(draft, job, Conclusion.CANCELLED, reason=Reason.BUDGET, message=message)
    settle_dependents(draft)
    return draft.state.queue != queue


def _is_at_limit(state: RunState, job: JobState) -> bool:
    if job.max_parallel is None:
        return False
    return sum(state.jobs[key].status is Status.IN_PROGRESS for key in state.legs[job.spec_id]) >= job.max_parallel


def _settle_run(draft: Draft) -> None:
    """End the run when every job has completed, or leave it interrupted when nothing runs any more."""
    state = draft.state
    if state.active or state.status is Status.COMPLETED:
        return
    is_waiting = bool(state.queue or state.asked)  # then there is no need to look at every job
    is_done = not is_waiting and all(state.is_spec_completed(spec_id) for spec_id in state.specs)
    if is_done and state.status is Status.IN_PROGRESS:
        conclusion, reason = _verdict(state)
        draft.move_run(Status.IN_PROGRESS, Status.COMPLETED, conclusion=conclusion, reason=reason)
    elif state.stop is not None and state.status is not Status.INTERRUPTED:
        draft.move_run(state.status, Status.INTERRUPTED, reason=Reason.INTERRUPTED)


def _verdict(state: RunState) -> tuple[Conclusion, Reason | None]:
    if state.root.cancelled is not None:
        return Conclusion.CANCELLED, state.root.cancelled
    conclusions = {job.conclusion for job in state.jobs.values()}
    if Conclusion.FAILURE in conclusions:
        return Conclusion.FAILURE, Reason.JOB_FAILED
    return (Conclusion.CANCELLED if Conclusion.CANCELLED in conclusions else Conclusion.SUCCESS), None
