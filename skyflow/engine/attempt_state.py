"""Where an attempt and its steps are: immutable values, replaced as a whole by every event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from skyflow.model.action import Action
from skyflow.model.annotation import Annotation
from skyflow.model.containers import StartedContainers
from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.uses import LoadedAction
from skyflow.model.workflow import CancelStep, Step, WaitStep

__all__ = ["ActionCall", "AttemptState", "Post", "StepSequence", "StepState", "Strand", "without_masked"]


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
    to be cancelled once it is as far again, or was already if it `has_heard` of it.
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
    has_heard: bool = False
    setup: StepState | None = None
    seconds: float = 0.0
    containers: StartedContainers | None = None

    @property
    def is_inside(self) -> bool:
        """Whether the step in view is one of a composite action."""
        return bool(self.strand.calls)

    @property
    def is_catching_up(self) -> bool:
        """Whether it is not yet as far as a dead driver had brought it.

        Steps that one had begun and that are not reached again can be told nothing, and what an attempt was told before
        it hears only where it did then.
        """
        begun = (position for position, status in self.recorded.items() if status is Status.IN_PROGRESS)
        return any(map(self._is_ahead, begun)) or (self.has_heard and self.verdict is not Conclusion.CANCELLED)

    def _is_ahead(self, position: int) -> bool:
        if position > len(self.states):  # a post phase, or stopping the containers
            return self.post_position < position
        return position > 0 and self.states[position - 1].status is Status.PENDING

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
        return without_masked(text, self.masks)


def without_masked(text: str, masks: tuple[str, ...]) -> str:
    """Return a text with masked ones replaced."""
    for mask in masks:
        text = text.replace(mask, "***")
    return text
