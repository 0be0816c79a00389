"""Jobs: when their needs are settled, what their matrix makes of them, and what follows when they end."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from skyflow.engine.contexts import EvaluationError, Scope, called_scope, job_scope
from skyflow.engine.draft import Draft
from skyflow.engine.effects import CancelTimer, ReleaseGroup, RequestGroup, TimerKey, WaitUntil
from skyflow.engine.retries import stop_step
from skyflow.engine.reuse import ask, is_remembered, remember
from skyflow.engine.state import JobState, frame_key, local_id
from skyflow.errors import ExpressionError
from skyflow.expr import Object, Value, to_python, truthy
from skyflow.expr.values import to_number
from skyflow.model.execution import Pairs
from skyflow.model.job_cache import KnownJob
from skyflow.model.matrix import Combination, combination_name, expand_matrix
from skyflow.model.run import Json
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import Authored, CallInterface, Concurrency, JobSpec, Strategy

__all__ = [
    "cancel_job",
    "cancel_late",
    "complete_job",
    "fail_fast",
    "group_request",
    "jobs_known",
    "request_group",
    "settle_all",
    "settle_dependents",
    "settle_if_ready",
    "skip_reason",
    "wait_for_start",
]


def settle_all(draft: Draft) -> None:
    """Create the jobs of every spec whose needs have completed, in file order."""
    for spec in list(draft.state.specs.values()):
        settle_if_ready(draft, spec)


def settle_dependents(draft: Draft) -> None:
    """Create the jobs that became possible by what has completed; a skipped one completes, and so on down."""
    while draft.finished_specs:
        spec_id = draft.finished_specs.pop(0)
        if draft.state.is_spec_completed(spec_id):
            for dependent in draft.state.dependents.get(spec_id, ()):
                settle_if_ready(draft, draft.state.specs[dependent])
        _close_call(draft, frame_key(spec_id))


def settle_if_ready(draft: Draft, spec: JobSpec, known: Sequence[KnownJob] | None = None) -> None:
    """Create the jobs of a spec, if its needs have completed and it has none yet.

    `known` is what is remembered of them; without it that is asked first, where it is of interest.
    """
    if spec.id in draft.state.legs or (known is None and spec.id in draft.state.asked):
        return
    if not all(draft.state.is_spec_completed(needed) for needed in draft.state.needs[spec.id]):
        return
    try:
        if not job_scope(draft.state, spec).flag(spec.condition, default=True):
            cancelled = draft.state.cancelled(spec.id)
            conclusion = Conclusion.SKIPPED if cancelled is None else Conclusion.CANCELLED
            _create_completed(draft, spec, conclusion, cancelled or skip_reason(spec.condition))
        else:
            jobs = _expand(draft, spec)
            if known is None and is_remembered(draft.state, spec):
                ask(draft, spec, jobs)
                return
            answers = known or (None,) * len(jobs)
            for job, answer in zip(jobs, answers, strict=True):
                _create(draft, job, answer)
    except (EvaluationError, ExpressionError) as error:
        _create_completed(draft, spec, Conclusion.FAILURE, Reason.EXPRESSION, draft.state.hide(str(error)))


def jobs_known(draft: Draft, spec_id: str, answers: Sequence[KnownJob]) -> None:
    """Create the jobs of a spec, now that it is known which of them were done before."""
    draft.state = replace(draft.state, asked=draft.state.asked - {spec_id})
    settle_if_ready(draft, draft.state.specs[spec_id], answers)


def _create(draft: Draft, job: JobState, known: KnownJob | None) -> None:
    """Create a job: queued, or completed with what an earlier run made of it."""
    carried = draft.state.carried.get(job.key)
    if carried is not None and carried.conclusion is not None:
        _take_over(draft, job, carried.conclusion, tuple(carried.outputs.items()))
    elif known is not None and known.run_number is not None:
        _take_over(draft, job, Conclusion.SUCCESS, known.outputs, f"unchanged since run {known.run_number}")
    else:
        job = replace(job, fingerprint=None if known is None else known.fingerprint)
        moment = draft.state.moment_of(job)
        if moment is None:
            draft.move_job(job, None, data=_creation_data(job))
        else:
            message = f"waits for its planned start at {moment:%Y-%m-%d %H:%M} UTC"
            draft.move_job(job, None, reason=Reason.PLANNED_START, message=message, data=_creation_data(job))
        draft.enqueue(job)
        wait_for_start(draft, job)
        request_group(draft, draft.state.jobs[job.key])


def wait_for_start(draft: Draft, job: JobState) -> None:
    """Hold a queued job back until the moment at which its plan has it start."""
    moment = draft.state.moment_of(job)
    if moment is not None:
        draft.put(replace(job, is_paused=True))
        draft.emit(WaitUntil(TimerKey(job.key, job.attempts, is_pause=True), moment))


def wait_for_new_starts(draft: Draft) -> None:
    """Hold the jobs back that have not begun until they start by a new plan, and let those go that need not wait any more."""
    for job in list(draft.state.jobs.values()):
        if job.status is not Status.QUEUED or job.attempts > draft.state.attempts_before(job.key):
            continue
        if job.is_paused:
            draft.emit(CancelTimer(TimerKey(job.key, job.attempts, is_pause=True)))
            draft.put(replace(job, is_paused=False))
        wait_for_start(draft, job)


def _take_over(draft: Draft, job: JobState, conclusion: Conclusion, outputs: Pairs, message: str | None = None) -> None:
    done = replace(
        job,
        status=Status.COMPLETED,
        outcome=conclusion,
        conclusion=conclusion,
        outputs=outputs,
    )
    data = _creation_data(done) | {"outcome": conclusion.value, "outputs": dict(outputs)}
    draft.move_job(done, None, reason=Reason.REUSED, message=message, data=data)
    draft.finished_specs.append(job.spec_id)


def _expand(draft: Draft, spec: JobSpec) -> list[JobState]:
    """Return one queued job, or one for each combination of the matrix."""
    matrix, fail_fast, max_parallel = _strategy(job_scope(draft.state, spec), spec.strategy)
    combinations: Sequence[Combination | None] = (None,) if matrix is None else expand_matrix(matrix)
    jobs = []
    for index, combination in enumerate(combinations):
        job = JobState(
            key=spec.id if combination is None else f"{spec.id}.{index}",
            spec_id=spec.id,
            name="",
            leg_index=index,
            leg_total=len(combinations),
            matrix=None if combination is None else combination.values,
            max_parallel=max_parallel,
            fail_fast=fail_fast and not draft.state.options.keep_going,
            attempts=draft.state.attempts_before(spec.id if combination is None else f"{spec.id}.{index}"),
        )
        leg_scope = job_scope(draft.state, spec, job)
        jobs.append(
            replace(
                job,
                name=_around(draft, spec) + _display_name(leg_scope, spec, combination),
                continue_on_error=leg_scope.flag(spec.continue_on_error, default=False),
                group=leg_scope.optional_text(spec.concurrency.group) if spec.concurrency is not None else None,
            )
        )
    return jobs


def _strategy(scope: Scope, strategy: Strategy) -> tuple[Value, bool, int | None]:
    """Return the matrix, `fail-fast` and `max-parallel` of a job spec."""
    if strategy.whole is not None:
        whole = scope.value(strategy.whole)
        entries = whole if isinstance(whole, Object) else Object()
        most = to_number(entries.get("max-parallel"))
        fail_fast = truthy(entries.get("fail-fast")) if "fail-fast" in entries else True
        return entries.get("matrix"), fail_fast, int(most) if most > 0 else None
    number = scope.number(strategy.max_parallel)
    return (
        None if strategy.matrix is None else scope.tree(strategy.matrix),
        scope.flag(strategy.fail_fast, default=True),
        None if number is None else int(number),
    )


def _display_name(scope: Scope, spec: JobSpec, combination: Combination | None) -> str:
    """Return the authored name, or the id; a literal name or the id of a matrix job is told apart by its values."""
    if spec.name is not None and not spec.name.template.is_literal:
        return scope.text(spec.name) or local_id(spec.id)
    base = scope.text(spec.name) if spec.name is not None else local_id(spec.id)
    return base if combination is None else combination_name(base, combination)


def _around(draft: Draft, spec: JobSpec) -> str:
    """Return what stands before the name of a called workflow's job: the name of the job that calls it."""
    caller = frame_key(spec.id)
    return f"{draft.state.jobs[caller].name} / " if caller else ""


def skip_reason(condition: Authored) -> Reason:
    """Return why something was skipped: its own `if`, or the default one."""
    return Reason.CONDITION if condition.template.source.strip() else Reason.EARLIER_FAILURE


def _create_completed(
    draft: Draft, spec: JobSpec, conclusion: Conclusion, reason: Reason, message: str | None = None
) -> None:
    literal = spec.name is not None and spec.name.template.is_literal
    name = job_scope(draft.state, spec).text(spec.name) if spec.name is not None and literal else local_id(spec.id)
    job = JobState(
        key=spec.id,
        spec_id=spec.id,
        name=_around(draft, spec) + name,
        status=Status.COMPLETED,
        outcome=conclusion,
        conclusion=conclusion,
    )
    data = _creation_data(job) | {"outcome": conclusion.value}
    draft.move_job(job, None, reason=reason, message=message, data=data)
    draft.finished_specs.append(spec.id)


def _creation_data(job: JobState) -> dict[str, Json]:
    return {
        "spec_id": job.spec_id,
        "leg_index": job.leg_index,
        "leg_total": job.leg_total,
        "name": job.name,
        "matrix": cast("Json", to_python(job.matrix)),
        "max_parallel": job.max_parallel,
        "fail_fast": job.fail_fast,
        "continue_on_error": job.continue_on_error,
        "concurrency_group": job.group,
    }


def request_group(draft: Draft, job: JobState) -> None:
    """Ask for the concurrency group of a queued job, if it has one."""
    if job.group is None:
        return
    spec = draft.state.specs[job.spec_id]
    scope = job_scope(draft.state, spec, job)
    draft.emit(group_request(scope, spec.concurrency, job.key, job.group))


def group_request(scope: Scope, concurrency: Concurrency | None, holder: str, group: str) -> RequestGroup:
    """Return the request for a concurrency group whose name is known.

    Raises:
        EvaluationError: another of its keys cannot be evaluated.
    """
    queue = scope.optional_text(concurrency.queue) if concurrency is not None else None
    return RequestGroup(
        holder=holder,
        group=group,
        cancel_in_progress=concurrency is not None and scope.flag(concurrency.cancel_in_progress, default=False),
        keep_pending=queue == "max",
    )


def complete_job(
    draft: Draft, job: JobState, outcome: Conclusion, *, reason: Reason | None = None, message: str | None = None
) -> None:
    """End a job for good; a failed one takes the rest of its matrix along unless told otherwise."""
    forgiven = outcome is Conclusion.FAILURE and job.continue_on_error
    done = replace(
        job,
        status=Status.COMPLETED,
        outcome=outcome,
        conclusion=Conclusion.SUCCESS if forgiven else outcome,
        attempt=None,
        is_paused=False,
    )
    data: dict[str, Json] = {"outcome": outcome.value, "outputs": dict(job.outputs)}
    draft.move_job(done, job.status, reason=reason, message=message, data=data)
    draft.deactivate(job.key)
    draft.dequeue(job.key)
    remember(draft, job, outcome)
    if job.group is not None:
        draft.emit(ReleaseGroup(job.key))
    if job.is_paused:
        draft.emit(CancelTimer(TimerKey(job.key, job.attempts, is_pause=True)))
    fail_fast(draft, done)
    draft.finished_specs.append(job.spec_id)


def fail_fast(draft: Draft, job: JobState) -> None:
    """Cancel the other jobs of a matrix in which one has failed, if that is what it is to do."""
    if job.conclusion is Conclusion.FAILURE and job.fail_fast and job.leg_total > 1:
        for key in draft.state.legs[job.spec_id]:
            cancel_job(draft, draft.state.jobs[key], Reason.FAIL_FAST)


def cancel_job(draft: Draft, job: JobState, reason: Reason, *, force: bool = False) -> None:
    """Cancel a job that has not completed: at once if it waits, after its clean-up steps if it is under way."""
    if job.status is Status.QUEUED:
        complete_job(draft, job, Conclusion.CANCELLED, reason=reason)
    elif job.key in draft.state.frames and job.status is not Status.COMPLETED:
        _cancel_call(draft, job, reason, force=force)
    elif job.attempt is not None and job.attempt.is_catching_up and not force:
        draft.put(replace(job, attempt=replace(job.attempt, late_cancel=job.attempt.late_cancel or reason)))
    elif job.attempt is not None and (job.attempt.cancel is None or force):
        attempt = replace(job.attempt, cancel=job.attempt.cancel or reason)
        for step in attempt.under_way(job.key):
            attempt = stop_step(draft, job, attempt.seen_from(step.position), force=force)
        draft.put(replace(job, attempt=attempt))


def cancel_late(draft: Draft) -> None:
    """Cancel the jobs for which that was asked too early; what had heard of it goes on with its clean-up steps."""
    for key in draft.state.active:
        job = draft.state.jobs[key]
        attempt = job.attempt
        if attempt is None or attempt.late_cancel is None or attempt.is_catching_up:
            continue
        reason = attempt.late_cancel
        if attempt.has_heard:
            heard = replace(attempt, late_cancel=None, cancel=reason, reason=attempt.reason or reason)
            draft.put(replace(job, attempt=heard))
        else:
            cancel_job(draft, replace(job, attempt=replace(attempt, late_cancel=None)), reason)


def _cancel_call(draft: Draft, job: JobState, reason: Reason, *, force: bool) -> None:
    """Cancel every job of the workflow that a job calls."""
    draft.cancel_frame(job.key, reason)
    for spec_id in draft.state.frames[job.key].spec_ids:
        for key in draft.state.legs.get(spec_id, ()):
            cancel_job(draft, draft.state.jobs[key], reason, force=force)


def _close_call(draft: Draft, key: str) -> None:
    """Complete the job that calls a workflow, once every job of that has completed."""
    if not key or draft.state.jobs[key].status is Status.COMPLETED:
        return
    frame = draft.state.frames[key]
    if not all(draft.state.is_spec_completed(spec_id) for spec_id in frame.spec_ids):
        return
    job = draft.state.jobs[key]
    outputs: Pairs = ()
    results = {draft.state.spec_result(spec_id) for spec_id in frame.spec_ids}
    outcome, reason, message = Conclusion.SUCCESS, None, None
    if frame.cancelled is not None or Conclusion.CANCELLED in results:
        outcome, reason = Conclusion.CANCELLED, frame.cancelled
    if Conclusion.FAILURE in results:
        outcome, reason = Conclusion.FAILURE, Reason.JOB_FAILED
    try:
        values = called_scope(draft.state, key).variables(
            tuple((output.name, output.value) for output in (frame.workflow.call or CallInterface()).outputs)
        )
        outputs = tuple((name, value) for name, value in values if value)
    except EvaluationError as error:
        outcome, reason, message = Conclusion.FAILURE, Reason.EXPRESSION, draft.state.hide(str(error))
    complete_job(draft, replace(job, outputs=outputs), outcome, reason=reason, message=message)
