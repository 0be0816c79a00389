"""One execution of a workflow as it is remembered: what moved, when, and what is known of it since."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from skyflow._util.terminal import one_line
from skyflow.model.status import Conclusion, Entity, Reason, Status

__all__ = [
    "ANY_RUN",
    "AttemptRecord",
    "Carried",
    "Event",
    "JobRecord",
    "Json",
    "NewRun",
    "RunFilter",
    "RunId",
    "RunOptions",
    "RunOverview",
    "RunRecord",
    "StepRecord",
    "SupersededPlan",
    "Transition",
]

RunId = NewType("RunId", str)
"""Names a run for good; sorts by the time the run was made."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
"""What JSON can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One move of one entity along an arrow of its state diagram.

    `old` is None at creation. `job_key`, `attempt` and `position` name the entity as far as they apply: a run has none
    of them, a step has all three. `data` is what is remembered with the move (a name, an exit code, outputs).
    """

    entity: Entity
    old: Status | None
    new: Status
    job_key: str | None = None
    attempt: int | None = None
    position: int | None = None
    conclusion: Conclusion | None = None
    reason: Reason | None = None
    message: str | None = None
    data: Mapping[str, Json] = field(default_factory=dict)

    @property
    def entity_id(self) -> str:
        """The entity within its run: empty for the run itself, else `build`, `build#1`, `build#1/2`."""
        text = self.job_key or ""
        if self.attempt is not None:
            text += f"#{self.attempt}"
        if self.position is not None:
            text += f"/{self.position}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the user asked of a run as a whole, the same each time it is driven.

    With `keep_going` a failed job of a matrix does not cancel the others. `budget_usd` is what the run may cost. `cache` is a
    `CacheMode`. `providers` are those that jobs may run on, all if it is empty. `hosts` are the machines on which all jobs run instead of on this one, as `--host` names them. A `rehearsal`
    has all jobs on this machine, whatever they ask for. So many `keep_seconds` after its job rented machines stay to be looked at.
    """

    keep_going: bool = False
    budget_usd: float | None = None
    cache: str = "declared"
    providers: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    rehearsal: bool = False
    keep_seconds: float = 0.0

    def to_json(self) -> dict[str, Json]:
        """Return the options as they are stored."""
        return {
            "keep_going": self.keep_going,
            "budget_usd": self.budget_usd,
            "cache": self.cache,
            "providers": list(self.providers),
            "hosts": list(self.hosts),
            "rehearsal": self.rehearsal,
            "keep_seconds": self.keep_seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "RunOptions":
        """Read what `to_json` wrote."""
        budget, keep = data.get("budget_usd"), data.get("keep_seconds")
        hosts, providers = data.get("hosts"), data.get("providers")
        return cls(
            keep_going=data.get("keep_going") is True,
            budget_usd=float(budget) if isinstance(budget, int | float) else None,
            cache=str(data.get("cache", "declared")),
            providers=tuple(map(str, providers)) if isinstance(providers, list) else (),
            hosts=tuple(map(str, hosts)) if isinstance(hosts, list) else (),
            rehearsal=data.get("rehearsal") is True,
            keep_seconds=float(keep) if isinstance(keep, int | float) else 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a retried run takes over of one job of the run it retries.

    `conclusion` is None for a job that has to run again; `attempts` counts those there were.
    """

    conclusion: Conclusion | None
    outputs: Mapping[str, str]
    attempts: int

    def to_json(self) -> dict[str, Json]:
        """Return it as it is stored."""
        return {
            "conclusion": None if self.conclusion is None else self.conclusion.value,
            "outputs": dict(self.outputs),
            "attempts": self.attempts,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "Carried":
        """Read what `to_json` wrote."""
        conclusion, outputs, attempts = data["conclusion"], data["outputs"], data["attempts"]
        return cls(
            conclusion=None if conclusion is None else Conclusion(str(conclusion)),
            outputs={name: str(value) for name, value in outputs.items()} if isinstance(outputs, dict) else {},
            attempts=attempts if isinstance(attempts, int) else 0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What is stored when a run is made: all that a later process needs to continue it.

    `callee_sources` are the workflows that may be called, by what `uses` says. `contexts` holds the contexts that do not change during a run (github, runner, ...), but never a secret; of those
    there are only `secret_names`: what was given and may be used. `plan` is the plan as JSON. A run that retries another
    has the first of them as `origin`, and what it takes over as `carried`, by job key; `tries` counts them from 1.
    """

    id: RunId
    workflow_name: str
    workflow_path: str
    workflow_source: str
    callee_sources: Mapping[str, str]
    contexts: Mapping[str, Json]
    plan: Json
    slots: int
    secret_names: tuple[str, ...] = ()
    options: RunOptions = RunOptions()
    origin: RunId | None = None
    tries: int = 1
    carried: Mapping[str, Carried] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A stored run. `number` counts the runs of one store from 1; `display_name` is what `run-name` gave, if anything.

    `is_cancelled` tells that the user asked for that, whether it has happened yet or not.
    """

    id: RunId
    number: int
    workflow_name: str
    workflow_path: str
    workflow_source: str
    callee_sources: Mapping[str, str]
    contexts: Mapping[str, Json]
    plan: Json
    slots: int
    display_name: str | None
    secret_names: tuple[str, ...]
    options: RunOptions
    origin: RunId | None
    tries: int
    carried: Mapping[str, Carried]
    is_cancelled: bool
    status: Status
    conclusion: Conclusion | None
    reason: Reason | None
    message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None

    @property
    def title(self) -> str:
        """What to call the run in a line of text: its workflow, and its own name if it has one."""
        return one_line(
            self.workflow_name if self.display_name is None else f"{self.workflow_name}: {self.display_name}"
        )

    def elapsed_seconds(self, now: datetime) -> float:
        """Return how long it has been under way."""
        return (now - (self.started_at or self.created_at)).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A stored job. `outcome` is the conclusion before `continue-on-error`; `started_at` that of its latest attempt."""

    key: str
    spec_id: str
    leg_index: int
    leg_total: int
    name: str
    matrix: Json
    max_parallel: int | None
    fail_fast: bool
    continue_on_error: bool
    concurrency_group: str | None
    status: Status
    outcome: Conclusion | None
    conclusion: Conclusion | None
    reason: Reason | None
    message: str | None
    outputs: Mapping[str, str]
    queued_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """A stored attempt."""

    job_key: str
    number: int
    status: Status
    conclusion: Conclusion | None
    reason: Reason | None
    message: str | None
    started_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """A stored step."""

    job_key: str
    attempt: int
    position: int
    name: str
    status: Status
    outcome: Conclusion | None
    conclusion: Conclusion | None
    reason: Reason | None
    message: str | None
    exit_code: int | None
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A stored transition with its time; `id` grows with every event of a store."""

    id: int
    at: datetime
    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededPlan:
    """A plan of a run that another one took the place of; `why` is a sentence for the user."""

    at: datetime
    why: str
    plan: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverview:
    """A stored run, and whether a living process drives it; one that is in progress without was killed."""

    run: RunRecord
    is_driven: bool

    @property
    def state(self) -> str:
        """The conclusion, or where the run stands: `in_progress`, or `interrupted` when `skyflow resume` can go on."""
        if self.run.conclusion is not None:
            return self.run.conclusion.value
        return Status.IN_PROGRESS.value if self.is_driven else Status.INTERRUPTED.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are wanted; what is empty or None is no limit.

    `state` is a conclusion, or `unfinished`; `text` is in the name of the workflow or the run, the path or the id, in upper
    or lower case; `before` is the number of a run that is newer than all that are wanted.
    """

    state: str = ""
    text: str = ""
    before: int | None = None


ANY_RUN = RunFilter()
