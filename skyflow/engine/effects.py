"""What to do next: the only outputs of the state machine, performed by the driver in order.

Moves (`skyflow.model.run.Transition`) are effects as well; the driver stores them before it performs the others.
"""

from dataclasses import dataclass
from datetime import datetime

from skyflow.model.containers import ContainersRequest
from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest
from skyflow.model.job_cache import CacheQuestion
from skyflow.model.run import Transition

__all__ = [
    "CancelTimer",
    "Effect",
    "HashFiles",
    "LoadAction",
    "LookUp",
    "ReleaseAttempt",
    "ReleaseGroup",
    "Remember",
    "RequestGroup",
    "SaveCheckpoint",
    "SetUp",
    "StartAction",
    "StartContainers",
    "StartStep",
    "StartTimer",
    "StopContainers",
    "StopStep",
    "TimerKey",
    "WaitUntil",
]


@dataclass(frozen=True, slots=True)
class TimerKey:
    """Names a timer: the time limit of an attempt (`position` 0) or of one of its steps.

    With `is_pause` it is what the attempt after this one, or the next try of the step, waits for; with `is_checkpoint`
    the next time that the folder of the job is kept.
    """

    job_key: str
    attempt: int
    position: int = 0
    is_pause: bool = False
    is_checkpoint: bool = False


@dataclass(frozen=True, slots=True)
class StartStep:
    """Run a script; `StepEnded` will follow."""

    step: StepRef
    request: StepRequest


@dataclass(frozen=True, slots=True)
class LoadAction:
    """Look up the action that a step uses; `ActionLoaded` will follow."""

    step: StepRef
    uses: str


@dataclass(frozen=True, slots=True)
class StartAction:
    """Run a built-in or JavaScript action; `StepEnded` will follow."""

    step: StepRef
    request: ActionRequest


@dataclass(frozen=True, slots=True)
class SetUp:
    """Have a machine for an attempt that runs elsewhere, with the project on it; `StepEnded` will follow.

    The folder `checkpoint`, if any, is put there as the attempt before this one left it. `minutes` is how long the job may
    take, if its workflow says so.
    """

    step: StepRef
    checkpoint: str | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class SaveCheckpoint:
    """Keep a folder of an attempt for the next one."""

    job_key: str
    attempt: int
    path: str


@dataclass(frozen=True, slots=True)
class StartContainers:
    """Start the containers of an attempt; `ContainersStarted` will follow. `checkpoint` is as for `SetUp`."""

    step: StepRef
    request: ContainersRequest
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class StopContainers:
    """Stop and remove the containers of an attempt; `StepEnded` will follow."""

    step: StepRef


@dataclass(frozen=True, slots=True)
class HashFiles:
    """Hash files of the workspace for an expression; `FilesHashed` will follow.

    `position` is that of the background step that asks, or 0 for the steps of the job.
    """

    job_key: str
    attempt: int
    patterns: tuple[str, ...]
    position: int = 0


@dataclass(frozen=True, slots=True)
class LookUp:
    """Find out whether the jobs of a spec have been done before; `LookedUp` will follow."""

    spec_id: str
    questions: tuple[CacheQuestion, ...]
    may_reuse: bool


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep the result of a job that has succeeded, before anything else is done."""

    question: CacheQuestion
    fingerprint: str
    outputs: Pairs


@dataclass(frozen=True, slots=True)
class StopStep:
    """Stop a running script; its `StepEnded` will follow."""

    step: StepRef
    force: bool


@dataclass(frozen=True, slots=True)
class ReleaseAttempt:
    """End everything an attempt left running."""

    job_key: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RequestGroup:
    """Ask for a concurrency group; `GroupMoved` will follow. `holder` is a job key, or empty for the run itself."""

    holder: str
    group: str
    cancel_in_progress: bool = False
    keep_pending: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseGroup:
    """Give a concurrency group back."""

    holder: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Send `TimerFired` after some seconds."""

    key: TimerKey
    seconds: float


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Send `TimerFired` at a moment, at once if that has passed."""

    key: TimerKey
    at: datetime


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget a timer; harmless if it has fired."""

    key: TimerKey


Effect = (
    Transition
    | StartStep
    | LoadAction
    | StartAction
    | SetUp
    | SaveCheckpoint
    | StartContainers
    | StopContainers
    | HashFiles
    | StopStep
    | LookUp
    | Remember
    | ReleaseAttempt
    | RequestGroup
    | ReleaseGroup
    | StartTimer
    | WaitUntil
    | CancelTimer
)
