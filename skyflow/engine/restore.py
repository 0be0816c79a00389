"""A run as it was stored becomes a state that the machine can go on from."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from skyflow.engine.attempt_state import AttemptState, StepState
from skyflow.engine.calls import with_callee
from skyflow.engine.state import JobState, RunState, new_run
from skyflow.expr import Object, Value, from_python
from skyflow.model.run import AttemptRecord, JobRecord, RunRecord, StepRecord
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import Workflow

__all__ = ["restore"]


def restore(
    workflow: Workflow,
    run: RunRecord,
    *,
    jobs: Sequence[JobRecord],
    attempts: Sequence[AttemptRecord],
    steps: Sequence[StepRecord],
    slots: int,
    callees: Mapping[str, Workflow],
    masks: tuple[str, ...] = (),
    prices: Mapping[str, float] = MappingProxyType({}),
    not_before: Mapping[str, datetime] = MappingProxyType({}),
    spent: float = 0.0,
) -> RunState:
    """Return the state a stored run is in; attempts that were under way are there to be given up.

    What steps of such an attempt wrote to GITHUB_ENV is not restored: its job starts over.

    Args:
        workflow: what the run was started with.
        run: the run; its contexts have to be completed by what is never stored.
        jobs: its jobs, in the order they came to be.
        attempts: its attempts.
        steps: its steps.
        slots: how many jobs run at once.
        callees: the workflows that may be called, by what `uses` says.
        masks: texts to hide.
        prices: what jobs are planned to cost, by key.
        not_before: the moments that jobs wait for, by key.
        spent: what was paid for attempts so far, in US dollars.
    """
    state = new_run(
        workflow,
        _contexts(run),
        slots=slots,
        callees=callees,
        masks=masks,
        options=run.options,
        carried=run.carried,
        prices=prices,
        not_before=not_before,
    )
    state = replace(state, status=run.status, spent=spent)
    if run.is_cancelled:
        root = replace(state.root, cancelled=Reason.CANCELLED)
        state = replace(state, frames={**state.frames, "": root})
    return _with_jobs(state, jobs, attempts, steps)


def _contexts(run: RunRecord) -> dict[str, Value]:
    contexts = {name: from_python(value) for name, value in run.contexts.items()}
    github = contexts.get("github")
    if isinstance(github, Object):  # known only since the run was stored
        contexts["github"] = Object([*github.items(), ("run_number", str(run.number))])
    return contexts


def _with_jobs(
    state: RunState, jobs: Sequence[JobRecord], attempts: Sequence[AttemptRecord], steps: Sequence[StepRecord]
) -> RunState:
    numbers: dict[str, list[int]] = defaultdict(list)
    for attempt in attempts:
        numbers[attempt.job_key].append(attempt.number)
    lost = Counter(attempt.job_key for attempt in attempts if attempt.reason is Reason.LOST)
    steps_of: dict[tuple[str, int], list[StepRecord]] = defaultdict(list)
    for step in steps:
        steps_of[step.job_key, step.attempt].append(step)
    for record in jobs:
        if record.spec_id not in state.specs:
            continue  # of a called workflow that has ended; its caller has all that counts
        latest = max(numbers[record.key], default=state.attempts_before(record.key))
        job = replace(_job_state(record, latest, steps_of[record.key, latest]), lost=lost[record.key])
        state = state.with_job(job)
        if job.status is Status.IN_PROGRESS and state.specs[job.spec_id].call is not None:
            state = with_callee(state, job)
    return replace(
        state,
        queue=tuple(key for key, job in state.jobs.items() if job.status is Status.QUEUED),
        active=tuple(key for key, job in state.jobs.items() if job.attempt is not None),
    )


def _job_state(record: JobRecord, latest_attempt: int, steps: Sequence[StepRecord]) -> JobState:
    attempt = None
    if record.status is Status.IN_PROGRESS and latest_attempt:
        states = {
            step.position: StepState(status=step.status, outcome=step.outcome, conclusion=step.conclusion)
            for step in steps
        }
        setup = states.pop(0, None)
        why = _cancelled_for(steps)
        attempt = AttemptState(
            number=latest_attempt,
            steps=(),
            states=tuple(states.values()),
            setup=setup,
            late_cancel=why,
            has_heard=why is not None,
        )
    return JobState(
        key=record.key,
        spec_id=record.spec_id,
        name=record.name,
        leg_index=record.leg_index,
        leg_total=record.leg_total,
        matrix=from_python(record.matrix),
        max_parallel=record.max_parallel,
        fail_fast=record.fail_fast,
        continue_on_error=record.continue_on_error,
        group=record.concurrency_group,
        status=record.status,
        outcome=record.outcome,
        conclusion=record.conclusion,
        outputs=tuple(record.outputs.items()),
        attempts=latest_attempt,
        attempt=attempt,
    )


def _cancelled_for(steps: Sequence[StepRecord]) -> Reason | None:
    """Return why an attempt was being cancelled: a step of it has heard so, and what follows are its clean-up steps."""
    ended = (step.reason for step in steps if step.conclusion is Conclusion.CANCELLED)
    return next((reason for reason in ended if reason is not Reason.STEP_CANCELLED), None)
