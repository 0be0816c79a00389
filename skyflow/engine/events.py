"""What happened: the only inputs of the state machine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from skyflow.engine.effects import HashFiles, TimerKey
from skyflow.engine.rooms import Rooms
from skyflow.model.concurrency import GroupMove
from skyflow.model.containers import StartedContainers
from skyflow.model.execution import StepRef, StepResult
from skyflow.model.job_cache import KnownJob
from skyflow.model.uses import LoadedAction

__all__ = [
    "ActionLoaded",
    "CancelRequested",
    "ContainersStarted",
    "Event",
    "FilesHashed",
    "GroupMoved",
    "LookedUp",
    "Replanned",
    "RunBegun",
    "Spent",
    "StepEnded",
    "StopRequested",
    "TimerFired",
]


@dataclass(frozen=True, slots=True)
class RunBegun:
    """A driver has taken the run, for the first time or after an interruption.

    `kept` are the attempts under way that can go on where they are, by job key and number, with how many seconds ago they
    began; any other is lost. `held` are those who still hold their concurrency group: keys of jobs, or `THE_RUN`.
    """

    kept: Mapping[tuple[str, int], float] = field(default_factory=dict)
    held: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StepEnded:
    """The process of a step is gone."""

    step: StepRef
    result: StepResult


@dataclass(frozen=True, slots=True)
class ContainersStarted:
    """The containers of an attempt run; or they do not, as `result` says, and `containers` is None."""

    step: StepRef
    result: StepResult
    containers: StartedContainers | None


@dataclass(frozen=True, slots=True)
class ActionLoaded:
    """The action that a step uses was looked up; `error` says why there is none."""

    step: StepRef
    action: LoadedAction | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FilesHashed:
    """Files were hashed, as `asked`; `error` says why they could not be."""

    asked: HashFiles
    digest: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What is known of the jobs of a spec, in their order."""

    spec_id: str
    answers: tuple[KnownJob, ...]


@dataclass(frozen=True, slots=True)
class GroupMoved:
    """A concurrency group that was asked for is ours, is ours no longer, or is wanted by somebody newer."""

    holder: str
    move: GroupMove


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was started and not cancelled has run out."""

    key: TimerKey


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Ctrl-C or a signal; `force` when it came again."""

    force: bool


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The user wants the run cancelled: its jobs end as cancelled, and what is to run `always()` runs."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What an attempt has cost is known: its machine was given back."""

    job_key: str
    attempt: int
    usd: float


@dataclass(frozen=True, slots=True)
class Replanned:
    """What is left of the run has been planned anew: where jobs run that begin from now on, for how much, and not before when."""

    rooms: Rooms
    prices: Mapping[str, float]
    not_before: Mapping[str, datetime]


Event = (
    LookedUp
    | RunBegun
    | CancelRequested
    | Replanned
    | Spent
    | StepEnded
    | ContainersStarted
    | ActionLoaded
    | FilesHashed
    | GroupMoved
    | TimerFired
    | StopRequested
)
