"""Where things are, how they ended, and why: three separate questions, and the table of allowed moves.

`Status` says where an entity is; only `completed` has a `Conclusion`; `Reason` says why it ended so. The documentation
draws its state diagrams from `TRANSITIONS`, the store and the engine check every move against it.
"""

from collections.abc import Mapping
from enum import StrEnum

from skyflow.errors import InvalidTransitionError

__all__ = ["TRANSITIONS", "Conclusion", "Entity", "Reason", "Status", "check_transition"]


class Entity(StrEnum):
    """What has a status."""

    RUN = "run"
    """One execution of a workflow."""
    JOB = "job"
    """One job after matrix expansion; it exists from the moment its needs are settled."""
    ATTEMPT = "attempt"
    """One try at a job, numbered from 1."""
    STEP = "step"
    """One step of one attempt."""


class Status(StrEnum):
    """Where an entity is."""

    QUEUED = "queued"
    """A run that is stored but not begun; a job whose needs are met and that waits for a free slot."""
    PENDING = "pending"
    """A step whose turn has not come."""
    IN_PROGRESS = "in_progress"
    """At work: a process may be running on its behalf."""
    INTERRUPTED = "interrupted"
    """A run that was stopped in good order; nothing of it is running and `skyflow resume` continues it."""
    COMPLETED = "completed"
    """Ended for good, with a conclusion."""


class Conclusion(StrEnum):
    """How a completed entity ended."""

    SUCCESS = "success"
    """It did what it should, or its failure was allowed by `continue-on-error`."""
    FAILURE = "failure"
    """It failed."""
    CANCELLED = "cancelled"
    """It was ended from outside: a time limit of its job, another job of its matrix, an interruption."""
    SKIPPED = "skipped"
    """It was not run, because its condition did not hold."""


class Reason(StrEnum):
    """Why an entity ended as it did, where the conclusion alone does not say it; or what it waits for."""

    CONDITION = "condition"
    """Its `if` was false."""
    EARLIER_FAILURE = "earlier_failure"
    """It has no `if`, and not everything before it succeeded: a job it needs, or an earlier step."""
    EXIT_CODE = "exit_code"
    """A process ended with another exit code than 0."""
    STEP_FAILED = "step_failed"
    """A step of the attempt failed, or one that was waited for."""
    STEP_CANCELLED = "step_cancelled"
    """A `cancel` step ended it."""
    JOB_FAILED = "job_failed"
    """A job of the run failed."""
    TIMEOUT = "timeout"
    """It took longer than its `timeout-minutes`."""
    FAIL_FAST = "fail_fast"
    """Another job of the same matrix failed."""
    SUPERSEDED = "superseded"
    """A newer run or job of the same concurrency group took its place."""
    INTERRUPTED = "interrupted"
    """The user or the system asked skyflow to stop."""
    CANCELLED = "cancelled"
    """The user cancelled the run."""
    PLANNED_START = "planned_start"
    """Its plan has it start at a later time, when power is cleaner; it is queued until then."""
    BUDGET = "budget"
    """It would have cost more than the run may."""
    REUSED = "reused"
    """It was not run: an earlier run's result was taken over."""
    PREEMPTED = "preempted"
    """Its machine was taken away by the provider."""
    LOST = "lost"
    """Its machine is lost, or the process that drove it died."""
    EXPRESSION = "expression"
    """An expression could not be evaluated."""
    FILE_COMMAND = "file_command"
    """What the step wrote to GITHUB_OUTPUT, GITHUB_ENV or GITHUB_PATH cannot be read, or a command it printed not obeyed."""
    NOT_STARTED = "not_started"
    """Its process could not be started."""


TRANSITIONS: Mapping[Entity, Mapping[tuple[Status | None, Status], str]] = {
    Entity.RUN: {
        (None, Status.QUEUED): "the run is stored with its workflow and its plan",
        (Status.QUEUED, Status.IN_PROGRESS): "the driver begins; its concurrency group, if any, is free",
        (Status.QUEUED, Status.INTERRUPTED): "stopped while it waited for its concurrency group",
        (
            Status.QUEUED,
            Status.COMPLETED,
        ): "superseded or cancelled while it waited, or its concurrency group cannot be evaluated",
        (Status.INTERRUPTED, Status.COMPLETED): "resumed, and superseded or cancelled while it waited again",
        (Status.IN_PROGRESS, Status.INTERRUPTED): "stopped in good order; resumable",
        (Status.INTERRUPTED, Status.IN_PROGRESS): "resumed",
        (Status.IN_PROGRESS, Status.COMPLETED): "every job has completed",
    },
    Entity.JOB: {
        (None, Status.QUEUED): "its needs are settled and its condition holds",
        (
            None,
            Status.COMPLETED,
        ): "skipped, taken over from an earlier run, or its condition or matrix could not be evaluated",
        (Status.QUEUED, Status.IN_PROGRESS): "a slot is free: an attempt starts",
        (Status.QUEUED, Status.COMPLETED): "cancelled before it started",
        (
            Status.IN_PROGRESS,
            Status.QUEUED,
        ): "its attempt was lost or interrupted, or failed and may be retried; a new one will follow",
        (Status.IN_PROGRESS, Status.COMPLETED): "its attempt ended",
    },
    Entity.ATTEMPT: {
        (None, Status.IN_PROGRESS): "the first step is next",
        (Status.IN_PROGRESS, Status.COMPLETED): "the last step has ended, or the attempt was lost",
    },
    Entity.STEP: {
        (None, Status.PENDING): "the attempt starts",
        (Status.PENDING, Status.IN_PROGRESS): "its condition holds: its process starts, or it begins to wait",
        (Status.PENDING, Status.COMPLETED): "skipped, cancelled, or its expressions could not be evaluated",
        (Status.IN_PROGRESS, Status.COMPLETED): "its process or its wait ended, or was lost",
    },
}
"""Every allowed move of every entity, from (None at creation) and to, with the sentence that explains it."""


def check_transition(entity: Entity, entity_id: str, old: Status | None, new: Status) -> None:
    """Let an allowed move pass.

    Raises:
        InvalidTransitionError: the state diagram of the entity has no such arrow; this is a bug in skyflow.
    """
    if (old, new) not in TRANSITIONS[entity]:
        raise InvalidTransitionError(f"{entity} {entity_id} cannot go from {old or 'nothing'} to {new}")
