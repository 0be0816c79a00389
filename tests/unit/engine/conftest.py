"""A workflow under test: events in, effects out, every invariant checked after each of them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from skyflow.engine.attempt_state import AttemptState
from skyflow.engine.background import MOST_AT_ONCE
from skyflow.engine.effects import (
    CancelTimer,
    Effect,
    HashFiles,
    LoadAction,
    ReleaseGroup,
    RequestGroup,
    SaveCheckpoint,
    SetUp,
    StartAction,
    StartContainers,
    StartStep,
    StartTimer,
    StopContainers,
    StopStep,
    TimerKey,
    WaitUntil,
)
from skyflow.engine.events import (
    ActionLoaded,
    ContainersStarted,
    Event,
    FilesHashed,
    GroupMoved,
    RunBegun,
    StepEnded,
    StopRequested,
    TimerFired,
)
from skyflow.engine.machine import handle
from skyflow.engine.state import JobState, RunState, new_run
from skyflow.expr import from_python
from skyflow.model.concurrency import GroupMove
from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import ActionRequest, Pairs, StepRef, StepRequest, StepResult
from skyflow.model.run import Transition
from skyflow.model.status import Entity, Status, check_transition
from skyflow.model.uses import LoadedAction
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)
"""When planned starts count from."""

CONTEXTS = {
    "github": {"ref_name": "main", "actor": "somebody", "event": {"ignored": 1}},
    "runner": {"os": "Linux", "temp": "/state/runs/r"},
    "vars": {},
    "secrets": {},
    "inputs": {},
}


class World:
    """A run whose steps end when the test says so."""

    def __init__(
        self,
        text: str | Workflow,
        *,
        slots: int = 100,
        callees: Mapping[str, Workflow] | None = None,
        not_before: Mapping[str, datetime] | None = None,
    ) -> None:
        workflow = text if isinstance(text, Workflow) else load_workflow("w.yml", text=text).workflow
        contexts = {name: from_python(value) for name, value in CONTEXTS.items()}
        self.state: RunState = new_run(
            workflow, contexts, slots=slots, callees=callees or {}, not_before=not_before or {}
        )
        self.running: dict[StepRef, StepRequest | ActionRequest | ContainersRequest | None] = {}
        self.loading: dict[StepRef, str] = {}
        self.hashing: list[HashFiles] = []
        self.groups: dict[str, RequestGroup] = {}
        self.started: list[StepRef] = []
        self.stopping: dict[StepRef, bool] = {}
        self.timers: dict[TimerKey, float] = {}
        self.kept: list[SaveCheckpoint] = []
        self.set_ups: list[SetUp | StartContainers] = []
        self.moves: list[Transition] = []
        self.statuses: dict[tuple[Entity, str], Status] = {(Entity.RUN, ""): Status.QUEUED}

    def begin(self) -> "World":
        return self.send(RunBegun())

    def send(self, event: Event) -> "World":
        before = self.state
        self.state, effects = handle(self.state, event)
        again, effects_again = handle(before, event)
        assert effects == effects_again, "the machine is not a function"
        assert again.jobs.keys() == self.state.jobs.keys()
        for effect in effects:
            self._perform(effect)
        self._check_invariants()
        return self

    def end(
        self,
        key: str,
        exit_code: int = 0,
        *,
        position: int | None = None,
        outputs: Pairs = (),
        env: Pairs = (),
        path: tuple[str, ...] = (),
    ) -> "World":
        """Let the running step of a job end by itself; the one at a position where several run."""
        ref = self.step(key, position)
        del self.running[ref]
        self.stopping.pop(ref, None)
        return self.send(StepEnded(ref, StepResult(exit_code=exit_code, outputs=outputs, env=env, path=path)))

    def end_with(self, key: str, result: StepResult) -> "World":
        ref = self.step(key)
        del self.running[ref]
        return self.send(StepEnded(ref, result))

    def load(self, action: LoadedAction | None, error: str | None = None) -> "World":
        """Let the action that is being looked up be found."""
        [(ref, _)] = self.loading.items()
        self.loading.clear()
        return self.send(ActionLoaded(ref, action, error))

    def containers(self, key: str, containers: StartedContainers | None, **result: object) -> "World":
        """Let the containers of a job be started, or fail to be."""
        ref = self.step(key)
        del self.running[ref]
        self.stopping.pop(ref, None)
        return self.send(ContainersStarted(ref, StepResult(**{"exit_code": 0, **result}), containers))

    def hashed(self, digest: str, error: str | None = None) -> "World":
        return self.send(FilesHashed(self.hashing.pop(), digest, error))

    def group(self, holder: str, move: GroupMove) -> "World":
        return self.send(GroupMoved(holder, move))

    def obey_stops(self) -> "World":
        """Let every step that was asked to stop be stopped."""
        for ref in list(self.stopping):
            del self.stopping[ref]
            if self.running.pop(ref, None) is None:
                continue
            self.send(StepEnded(ref, StepResult(exit_code=130, stopped=True)))
        return self

    def stop(self, *, force: bool = False) -> "World":
        return self.send(StopRequested(force=force))

    def fire(self, key: str, position: int = 0, *, is_pause: bool = False, is_checkpoint: bool = False) -> "World":
        timer = TimerKey(key, self.job(key).attempts, position, is_pause, is_checkpoint)
        del self.timers[timer]
        return self.send(TimerFired(timer))

    def step(self, key: str, position: int | None = None) -> StepRef:
        return next(ref for ref in self.running if ref.job_key == key and position in {None, ref.position})

    def request(self, key: str) -> StepRequest:
        return self.running[self.step(key)]

    def env(self, key: str) -> dict[str, str]:
        return dict(self.request(key).env)

    def job(self, key: str) -> JobState:
        return self.state.jobs[key]

    def results(self) -> dict[str, str]:
        return {key: job.conclusion.value for key, job in self.state.jobs.items() if job.conclusion is not None}

    def scripts(self) -> list[str]:
        return [request.script for request in self.running.values()]

    def _perform(self, effect: Effect) -> None:  # noqa: C901, PLR0912 -- one case per effect
        match effect:
            case Transition():
                self._move(effect)
            case StartStep(step=step, request=request):
                self._run(step, request)
            case StartAction(step=step, request=request):
                self._begin(step, request)
            case SetUp(step=step):
                self._begin_own(effect, StepRequest(script=""))
            case StartContainers(request=request):
                self._begin_own(effect, request)
            case StopContainers(step=step):
                assert self.statuses[Entity.STEP, str(step)] is Status.IN_PROGRESS
                self.running[step] = None
            case StopStep(step=step, force=force):
                self._ask_to_stop(step, force=force)
            case LoadAction(step=step, uses=uses):
                self.loading[step] = uses
            case HashFiles():
                self.hashing.append(effect)
            case SaveCheckpoint():
                self.kept.append(effect)
            case StartTimer(key=key, seconds=seconds):
                assert key not in self.timers
                self.timers[key] = seconds
            case WaitUntil(key=key, at=at):
                assert key not in self.timers
                self.timers[key] = (at - BEGAN).total_seconds()
            case CancelTimer(key=key):
                self.timers.pop(key, None)
            case RequestGroup(holder=holder):
                self.groups[holder] = effect
            case ReleaseGroup(holder=holder):
                self.groups.pop(holder, None)

    def _move(self, move: Transition) -> None:
        """Store a move, which has to be an arrow from where the entity is."""
        identity = (move.entity, move.entity_id)
        assert self.statuses.get(identity) == move.old, f"{identity} is not {move.old}"
        check_transition(move.entity, move.entity_id, move.old, move.new)
        assert (move.new is Status.COMPLETED) == (move.conclusion is not None)
        self.statuses[identity] = move.new
        self.moves.append(move)

    def _run(self, step: StepRef, request: StepRequest) -> None:
        """Start a script, once unless it is tried again."""
        assert step not in self.running, "a step is started while it runs"
        attempt = self.job(step.job_key).attempt
        is_again = attempt is not None and attempt.seen_from(step.position).top.state.tries > 1
        assert step not in self.started or is_again, "a step is started twice"
        self.started.append(step)
        self.running[step] = request

    def _begin(self, step: StepRef, request: object) -> None:
        """Start what is started once."""
        assert step not in self.started, "it is started twice"
        self.started.append(step)
        self.running[step] = request

    def _begin_own(self, effect: SetUp | StartContainers, request: object) -> None:
        """Start a step that no workflow has."""
        assert self.statuses[Entity.STEP, str(effect.step)] is Status.IN_PROGRESS, "it is stored before it is done"
        self.set_ups.append(effect)
        self._begin(effect.step, request)

    def _ask_to_stop(self, step: StepRef, *, force: bool) -> None:
        is_paused = any(timer.is_pause and timer.position for timer in self.timers)
        is_there = step in self.running or self.loading or self.hashing or is_paused
        assert is_there, "a step is stopped that does not run"
        self.stopping[step] = force

    def _check_invariants(self) -> None:
        state = self.state
        in_progress = [
            key
            for key, job in state.jobs.items()
            if job.status is Status.IN_PROGRESS and state.specs[job.spec_id].call is None
        ]
        assert sorted(in_progress) == sorted(state.active)
        free = state.rooms.free(state.active, state.slots)
        assert min(free.values()) >= 0
        assert sorted(key for key, job in state.jobs.items() if job.status is Status.QUEUED) == sorted(state.queue)
        for key, job in state.jobs.items():
            assert job.key == key
            assert key in state.legs[job.spec_id]
            assert (job.attempt is not None) == (key in in_progress)
            assert (job.conclusion is not None) == (job.status is Status.COMPLETED)
            if job.attempt is not None:
                self._check_attempt(key, job.attempt)
        for (entity, identity), status in self.statuses.items():
            if entity is Entity.JOB:
                assert state.jobs[identity].status is status
        if state.status is Status.COMPLETED:
            assert not self.running
            assert not self.loading
            assert not self.hashing
            assert not self.timers
            assert not state.queue
        waits = (
            any((job.group and not job.is_granted) or job.is_paused for job in state.jobs.values()) or state.committed
        )
        if state.status is Status.IN_PROGRESS and state.stop is None and not waits:
            assert state.active, "a run that nothing will ever continue"

    def _check_attempt(self, key: str, attempt: AttemptState) -> None:
        begun = {ref for ref in (*self.running, *self.loading) if ref.job_key == key}
        asking = [asked for asked in self.hashing if asked.job_key == key]
        assert begun <= set(attempt.under_way(key))
        pauses = [timer for timer in self.timers if timer.is_pause and timer.position and timer.job_key == key]
        assert len(set(attempt.under_way(key)) - begun) <= len(asking) + len(pauses), (
            "a step is under way that nobody knows of"
        )
        assert begun or asking or pauses, "an attempt that nothing will ever continue"
        beside = [strand for strand in (attempt.strand, *attempt.beside) if strand.is_background]
        going = [strand for strand in beside if attempt.states[strand.position - 1].status is Status.IN_PROGRESS]
        assert len(going) <= MOST_AT_ONCE
        for strand in (attempt.strand, *attempt.beside):
            for call in strand.calls:
                under_way = [i for i, s in enumerate(call.states, 1) if s.status is Status.IN_PROGRESS]
                assert under_way in ([], [call.position])


@pytest.fixture
def world() -> Callable[..., World]:
    """Begin a workflow, given as its `jobs:` section or as a whole."""

    def make(
        text: str | Workflow,
        *,
        slots: int = 100,
        callees: Mapping[str, Workflow] | None = None,
        not_before: Mapping[str, datetime] | None = None,
        begin: bool = True,
    ) -> World:
        whole = text if isinstance(text, Workflow) or "\njobs:" in text else f"on: push\njobs:\n{text}"
        made = World(whole, slots=slots, callees=callees, not_before=not_before)
        return made.begin() if begin else made

    return make
