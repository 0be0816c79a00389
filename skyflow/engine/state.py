"""Where a run and its jobs are: immutable values, replaced as a whole by every event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType

from skyflow.engine.attempt_state import AttemptState, without_masked
from skyflow.engine.rooms import Rooms
from skyflow.expr import Value
from skyflow.model.execution import Pairs
from skyflow.model.job_keys import planned
from skyflow.model.run import Carried, RunOptions
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import JobSpec, Workflow

__all__ = [
    "Frame",
    "JobState",
    "RunState",
    "Stop",
    "frame_key",
    "local_id",
    "new_run",
]


class Stop(Enum):
    """How a stop was asked for."""

    GRACEFUL = auto()
    """Interrupt what runs, let `always()` and `cancelled()` steps clean up."""
    FORCED = auto()
    """Kill what runs; no further step starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job: a job spec, or one combination of its matrix.

    `key` is the id of the spec, with `.N` behind it for the N-th combination. `outcome` is the conclusion before
    `continue-on-error`. `group` is its concurrency group, `is_granted` whether that is ours. `is_paused` tells that it
    waits before it is tried again, or for its planned start. `fingerprint` is what it is remembered by
    when it succeeds. `attempts` counts those begun, `lost` those of them that were lost with a driver or a
    machine; `attempt` is the one under way.
    """

    key: str
    spec_id: str
    name: str
    leg_index: int = 0
    leg_total: int = 1
    matrix: Value = None
    max_parallel: int | None = None
    fail_fast: bool = True
    continue_on_error: bool = False
    status: Status = Status.QUEUED
    outcome: Conclusion | None = None
    conclusion: Conclusion | None = None
    outputs: Pairs = ()
    group: str | None = None
    is_granted: bool = False
    is_paused: bool = False
    fingerprint: str | None = None
    attempts: int = 0
    lost: int = 0
    attempt: AttemptState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A workflow within a run: that of the run itself, or one that a job calls.

    `contexts` are those that stay the same in it. `cancelled` is why it was cancelled; jobs whose condition holds all the
    same still run.
    """

    workflow: Workflow
    contexts: Mapping[str, Value]
    spec_ids: tuple[str, ...]
    cancelled: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """A whole run.

    `frames` holds its workflow under the empty key, and each called one under the key of the job that calls it. `specs`,
    `needs` and `dependents` are the graph of all of them; the ids of a called workflow's jobs begin with the key of the
    calling job and a slash. `callees` are the workflows that may be called, by what `uses` says. `jobs` holds every job
    that exists so far, in the order they came to be; a job spec has its jobs here once its needs are settled, at least one
    even if it is skipped. `legs` lists them by spec. `asked` are the specs of which it is being found out whether they were done
    before. `queue` holds the keys of jobs waiting for one of `slots`, in
    starting order; `active` those of jobs in progress. `masks` are the texts to hide from the start, longest first;
    they and the `secrets` context are never stored. `carried` is what the run takes over from the one it retries, by job
    key. `not_before` are the moments that jobs wait for as planned, by job key. `prices` are what jobs are planned to cost, in
    US dollars; `spent` is what has been paid, `committed` what attempts
    will cost of which that is not known yet. `rooms` says which jobs run elsewhere, and how many at once.
    """

    frames: Mapping[str, Frame]
    callees: Mapping[str, Workflow]
    slots: int
    specs: Mapping[str, JobSpec]
    needs: Mapping[str, tuple[str, ...]]
    dependents: Mapping[str, tuple[str, ...]]
    masks: tuple[str, ...] = ()
    options: RunOptions = RunOptions()
    carried: Mapping[str, Carried] = field(default_factory=dict)
    not_before: Mapping[str, datetime] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    spent: float = 0.0
    committed: Mapping[tuple[str, int], float] = field(default_factory=dict)
    rooms: Rooms = Rooms()
    status: Status = Status.QUEUED
    conclusion: Conclusion | None = None
    stop: Stop | None = None
    jobs: Mapping[str, JobState] = field(default_factory=dict)
    legs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    queue: tuple[str, ...] = ()
    active: tuple[str, ...] = ()

    def hide(self, text: str) -> str:
        """Return a text with the secrets of the run replaced, fit to be stored and shown."""
        return without_masked(text, self.masks)

    @property
    def root(self) -> Frame:
        """The frame of the run's own workflow."""
        return self.frames[""]

    def frame_of(self, spec_id: str) -> Frame:
        """Return the frame that a job spec belongs to."""
        return self.frames[frame_key(spec_id)]

    def cancelled(self, spec_id: str) -> Reason | None:
        """Return why the frame of a job spec, or one around it, was cancelled; None if it was not."""
        key = frame_key(spec_id)
        while True:
            reason = self.frames[key].cancelled
            if reason is not None or not key:
                return reason
            key = frame_key(self.jobs[key].spec_id)

    def is_settled(self) -> bool:
        """Tell whether nothing will happen any more: the run has completed or was interrupted."""
        return self.status in {Status.COMPLETED, Status.INTERRUPTED}

    def may_run(self, key: str) -> bool:
        """Tell whether a job, or all of a matrix if that is the key of its spec, is under way or may still begin."""
        caller, spec_id = frame_key(key), key.rpartition(".")[0] if "." in local_id(key) else ""
        if self.is_settled() or self.stop is not None:
            return False
        if caller in self.jobs and self.jobs[caller].status is Status.COMPLETED:
            return False
        if key in self.jobs:
            return self.jobs[key].status is not Status.COMPLETED
        if spec_id in self.legs:  # the matrix became smaller than it was expected to
            return False
        return not self.is_spec_completed(key)

    def is_spec_completed(self, spec_id: str) -> bool:
        """Tell whether every job of a spec has completed."""
        keys = self.legs.get(spec_id)
        return keys is not None and all(self.jobs[key].status is Status.COMPLETED for key in keys)

    def spec_result(self, spec_id: str) -> Conclusion:
        """Return the one conclusion of all jobs of a completed spec, as `needs.<id>.result` shows it."""
        conclusions = {self.jobs[key].conclusion for key in self.legs[spec_id]}
        for worst in (Conclusion.FAILURE, Conclusion.CANCELLED, Conclusion.SUCCESS):
            if worst in conclusions:
                return worst
        return Conclusion.SKIPPED

    def spec_outputs(self, spec_id: str) -> Pairs:
        """Return the merged outputs of all jobs of a spec; over a matrix the last combination wins."""
        merged: dict[str, str] = {}
        for key in self.legs[spec_id]:
            merged.update(self.jobs[key].outputs)
        return tuple(merged.items())

    def attempts_before(self, key: str) -> int:
        """Return how many attempts at a job there were in the runs that this one retries."""
        return self.carried[key].attempts if key in self.carried else 0

    def price_of(self, job: JobState) -> float:
        """Return what a job is planned to cost, in US dollars."""
        return planned(self.prices, job.key) or 0.0

    def moment_of(self, job: JobState) -> datetime | None:
        """Return the moment that a job waits for before its first attempt."""
        if job.attempts > self.attempts_before(job.key):
            return None
        return planned(self.not_before, job.key)

    def with_job(self, job: JobState) -> "RunState":
        """Return the state with one job added or replaced."""
        legs = self.legs
        if job.key not in self.jobs:
            legs = {**legs, job.spec_id: (*legs.get(job.spec_id, ()), job.key)}
        return replace(self, jobs={**self.jobs, job.key: job}, legs=legs)

    def with_frame(self, key: str, workflow: Workflow, contexts: Mapping[str, Value]) -> "RunState":
        """Return the state with a workflow added: under the empty key the run's own, else that of a calling job."""
        prefix = f"{key}/" if key else ""
        ids = {spec.id.lower(): f"{prefix}{spec.id}" for spec in workflow.jobs}
        specs = {f"{prefix}{spec.id}": replace(spec, id=f"{prefix}{spec.id}") for spec in workflow.jobs}
        needs = {spec_id: tuple(ids[need.job_id.lower()] for need in spec.needs) for spec_id, spec in specs.items()}
        dependents: dict[str, list[str]] = {spec_id: [] for spec_id in needs}
        for spec_id, needed in needs.items():
            for need in needed:
                dependents[need].append(spec_id)
        frame = Frame(workflow=workflow, contexts=contexts, spec_ids=tuple(specs))
        return replace(
            self,
            frames={**self.frames, key: frame},
            specs={**self.specs, **specs},
            needs={**self.needs, **needs},
            dependents={**self.dependents, **{spec_id: tuple(found) for spec_id, found in dependents.items()}},
        )


def frame_key(spec_id: str) -> str:
    """Return the key of the frame that a job spec belongs to."""
    return spec_id.rpartition("/")[0]


def local_id(spec_id: str) -> str:
    """Return the id of a job spec as its own workflow has it."""
    return spec_id.rpartition("/")[2]


def new_run(
    workflow: Workflow,
    contexts: Mapping[str, Value],
    *,
    slots: int,
    callees: Mapping[str, Workflow] = MappingProxyType({}),
    masks: tuple[str, ...] = (),
    options: RunOptions = RunOptions(),
    carried: Mapping[str, Carried] = MappingProxyType({}),
    prices: Mapping[str, float] = MappingProxyType({}),
    not_before: Mapping[str, datetime] = MappingProxyType({}),
) -> RunState:
    """Return the state of a run that has not begun."""
    empty = RunState(
        frames={},
        callees=callees,
        slots=slots,
        specs={},
        needs={},
        dependents={},
        masks=masks,
        options=options,
        carried=carried,
        prices=prices,
        not_before=not_before,
    )
    return empty.with_frame("", workflow, contexts)
