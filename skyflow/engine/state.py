"""Where a run is: immutable values, replaced as a whole by every event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType

from skyflow.engine.rooms import Rooms
from skyflow.expr import Value
from skyflow.model.action import Action
from skyflow.model.annotation import Annotation
from skyflow.model.containers import StartedContainers
from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest
from skyflow.model.run import Carried, RunOptions
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.uses import LoadedAction
from skyflow.model.workflow import CancelStep, JobSpec, Step, WaitStep, Workflow

__all__ = [
    "ActionCall",
    "AttemptState",
    "Frame",
    "JobState",
    "Post",
    "RunState",
    "StepSequence",
    "StepState",
    "Stop",
    "Strand",
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
class StepState:
    """One step of the current attempt. `outcome` is its conclusion before `continue-on-error`.

    `post` is what has to run at the end of the job because this step did. A background step `is_held` from its end
    until something waits for it: until then later steps see nothing of it. `is_cancelled` says that a `cancel` step
    named it. A step that may be tried again has the `request` for that; `tries` counts those begun, and `is_paused` tells
    that the next one waits.
    """

    status: Status = Status.PENDING
    outcome: Conclusion | None = None
    conclusion: Conclusion | None = None
    continue_on_error: bool = False
    timed_out: bool = False
    outputs: Pairs = ()
    post: "Post | None" = None
    request: StepRequest | None = None
    tries: int = 1
    is_paused: bool = False
    is_background: bool = False
    is_held: bool = False
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The post phase of an action, which runs when the steps of the job have ended, last begun first."""

    name: str
    request: ActionRequest
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """A composite action that a step uses: where it lies, what was passed in, and the environment of that step."""

    action: Action
    folder: str
    inputs: Pairs
    env: Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSequence:
    """Steps that run one after the other: those of the job, or (with `call`) those of a composite action.

    `position` is the step under way, counted from 1; 0 before the first. `verdict` is what `success()` and `failure()`
    look at; `failure` is why it is a failure.
    """

    steps: tuple[Step, ...]
    states: tuple[StepState, ...]
    position: int = 0
    verdict: Conclusion = Conclusion.SUCCESS
    failure: str | None = None
    call: ActionCall | None = None

    @property
    def state(self) -> StepState:
        """The state of the step under way."""
        return self.states[self.position - 1]

    def with_state(self, step: StepState) -> "StepSequence":
        """Return the sequence with another state of the step under way."""
        states = (*self.states[: self.position - 1], step, *self.states[self.position :])
        return replace(self, states=states)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strand:
    """Steps that run one after the other: those of the job, or one background step with all that is inside it.

    `position` is the step of the job that it is at, counted from 1; 0 before the first. `calls` are the composite actions
    being in the middle of, outermost first. `env` and `path` are what a background step wrote for later ones, held back
    until something waits for it. `hashes` are the results of `hashFiles` for the step under way, `awaited` the action
    that waits for one; `is_asking` says that a background step cannot start before one is there. `annotations` are those
    of steps inside the action under way.
    """

    position: int = 0
    is_background: bool = False
    is_asking: bool = False
    calls: tuple[StepSequence, ...] = ()
    env: Pairs = ()
    path: tuple[str, ...] = ()
    hashes: tuple[tuple[tuple[str, ...], str, str | None], ...] = ()
    awaited: LoadedAction | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptState:
    """The try at a job that is under way, as seen from one of its strands.

    `steps` and `states` are those of the job, the members of its `parallel` groups among them. `strand` is the one in
    view, `beside` are the others, and `ended` those of background steps that nothing has waited for yet. `job_env` holds
    the evaluated variables of the workflow and the job, `step_env` what steps wrote to GITHUB_ENV, `path` what they wrote
    to GITHUB_PATH (latest first). `masks` are texts to hide, longest first. `cancel` is why the attempt is being
    cancelled, from the moment that was asked for. `posts` are the post phases still to run, next first; `post_position`
    is that of the one under way, else 0. `setup` is where its set-up stands: of a machine elsewhere, or of its containers; None
    without any and once they are stopped; `containers` are those that run. `seconds` of its time were over when this driver took it up. `failure` is why the first step failed that counts, and its exit code.
    `recorded` is how far the steps had come when a dead driver was followed, by position; `late_cancel` is why the attempt is
    to be cancelled once it is as far again.
    """

    number: int
    steps: tuple[Step, ...]
    states: tuple[StepState, ...]
    verdict: Conclusion = Conclusion.SUCCESS
    strand: Strand = Strand()
    beside: tuple[Strand, ...] = ()
    ended: tuple[Strand, ...] = ()
    reason: Reason | None = None
    message: str | None = None
    cancel: Reason | None = None
    job_env: Pairs = ()
    step_env: Pairs = ()
    path: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    posts: tuple[Post, ...] = ()
    post_position: int = 0
    posts_done: int = 0
    failure: tuple[Reason | None, int | None] | None = None
    recorded: Mapping[int, Status] = field(default_factory=dict)
    late_cancel: Reason | None = None
    setup: StepState | None = None
    seconds: float = 0.0
    containers: StartedContainers | None = None

    @property
    def is_inside(self) -> bool:
        """Whether the step in view is one of a composite action."""
        return bool(self.strand.calls)

    @property
    def is_catching_up(self) -> bool:
        """Whether steps that a dead driver began are not reached again yet: nobody could tell them anything."""
        begun = (position for position, status in self.recorded.items() if status is Status.IN_PROGRESS)
        return any(position and self.states[position - 1].status is Status.PENDING for position in begun)

    @property
    def top(self) -> StepSequence:
        """The innermost steps in view."""
        if self.strand.calls:
            return self.strand.calls[-1]
        return StepSequence(steps=self.steps, states=self.states, position=self.strand.position, verdict=self.verdict)

    @property
    def step(self) -> Step:
        """The step in view."""
        if self.strand.calls:
            call = self.strand.calls[-1]
            return call.steps[call.position - 1]
        return self.steps[self.strand.position - 1]

    @property
    def job_step(self) -> StepState:
        """The state of the job's own step in view, which may be in the middle of an action."""
        return self.states[self.strand.position - 1]

    @property
    def is_cancel_due(self) -> bool:
        """Whether the job is being cancelled and the steps in view have not heard of it."""
        return self.cancel is not None and self.top.verdict is not Conclusion.CANCELLED

    @property
    def is_stop_due(self) -> bool:
        """Whether the step in view was told to stop, by its job, its time limit or a `cancel` step."""
        has_heard = self.is_inside and self.top.verdict is Conclusion.CANCELLED
        return self.is_cancel_due or self.job_step.timed_out or (self.job_step.is_cancelled and not has_heard)

    def seen_from(self, position: int = 0) -> "AttemptState":
        """Return the attempt as the background step at a position sees it, or else the steps of the job do."""
        strands = (self.strand, *self.beside)
        own = next((strand for strand in strands if strand.is_background and strand.position == position), None)
        found = own or next(strand for strand in strands if not strand.is_background)
        if found is self.strand:
            return self
        return replace(self, strand=found, beside=tuple(strand for strand in strands if strand is not found))

    def ref(self, job_key: str) -> StepRef:
        """Name the step in view."""
        if self.post_position:
            return StepRef(job_key, self.number, self.post_position)
        return StepRef(job_key, self.number, self.strand.position, tuple(call.position for call in self.strand.calls))

    def under_way(self, job_key: str) -> list[StepRef]:
        """Name everything that a process may be running for, or is about to."""
        if self.post_position or (self.setup is not None and self.setup.status is Status.IN_PROGRESS):
            return [self.ref(job_key)]
        views = (self, *(self.seen_from(strand.position) for strand in self.beside))
        return [
            view.ref(job_key)
            for view in views
            if view.strand.position
            and view.job_step.status is Status.IN_PROGRESS
            and not isinstance(view.steps[view.strand.position - 1], WaitStep | CancelStep)
        ]

    def with_strand(self, strand: Strand) -> "AttemptState":
        """Return the attempt with the strand in view replaced."""
        return replace(self, strand=strand)

    def with_top(self, top: StepSequence) -> "AttemptState":
        """Return the attempt with the innermost steps in view replaced."""
        if self.strand.calls:
            return self.with_strand(replace(self.strand, calls=(*self.strand.calls[:-1], top)))
        strand = self.strand if top.position == self.strand.position else replace(self.strand, position=top.position)
        return replace(self, states=top.states, verdict=top.verdict, strand=strand)

    def with_job_step(self, state: StepState) -> "AttemptState":
        """Return the attempt with another state of the job's own step in view."""
        position = self.strand.position
        return replace(self, states=(*self.states[: position - 1], state, *self.states[position:]))

    def with_verdict(self, verdict: Conclusion) -> "AttemptState":
        """Return the attempt with another status of the job and of every action in view."""
        return replace(self.with_inner_verdict(verdict), verdict=verdict)

    def with_inner_verdict(self, verdict: Conclusion) -> "AttemptState":
        """Return the attempt with another status of every action in view."""
        calls = tuple(replace(call, verdict=verdict) for call in self.strand.calls)
        return self.with_strand(replace(self.strand, calls=calls))

    def hide(self, text: str) -> str:
        """Return a text with everything masked so far replaced, fit to be stored and shown."""
        return _hidden(text, self.masks)


def _hidden(text: str, masks: tuple[str, ...]) -> str:
    for mask in masks:
        text = text.replace(mask, "***")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job: a job spec, or one combination of its matrix.

    `key` is the id of the spec, with `.N` behind it for the N-th combination. `outcome` is the conclusion before
    `continue-on-error`. `group` is its concurrency group, `is_granted` whether that is ours. `is_paused` tells that it
    waits before it is tried again, or for its planned start. `fingerprint` is what it is remembered by
    when it succeeds. `attempts` counts those begun; `attempt` is the one under way.
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
        return _hidden(text, self.masks)

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
        return self.prices.get(job.key, self.prices.get(job.spec_id, 0.0))

    def moment_of(self, job: JobState) -> datetime | None:
        """Return the moment that a job waits for before its first attempt."""
        if job.attempts > self.attempts_before(job.key):
            return None
        return self.not_before.get(job.key, self.not_before.get(job.spec_id))

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
