"""Performs what the machine decides: the only part of the engine that waits, starts and stores.

One loop: take the events that have arrived, let the machine decide, store every move in one transaction, then perform
the effects. Nothing is ever done that is not stored first, so a driver that dies leaves a run that can be resumed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import anyio
from anyio.abc import TaskGroup

from skyflow.engine.effects import (
    CancelTimer,
    Effect,
    HashFiles,
    LoadAction,
    LookUp,
    ReleaseAttempt,
    ReleaseGroup,
    Remember,
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
    CancelRequested,
    ContainersStarted,
    Event,
    FilesHashed,
    GroupMoved,
    LookedUp,
    Replanned,
    RunBegun,
    Spent,
    StepEnded,
    StopRequested,
    TimerFired,
)
from skyflow.engine.machine import handle
from skyflow.engine.rooms import Rooms
from skyflow.engine.state import RunState
from skyflow.model.concurrency import GroupMove
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.run import RunId, Transition
from skyflow.model.status import Entity, Status
from skyflow.ports.action_source import ActionNotFoundError, ActionSource
from skyflow.ports.actions import ActionHost
from skyflow.ports.checkpoints import Checkpoints
from skyflow.ports.clock import Clock
from skyflow.ports.groups import ConcurrencyGroups
from skyflow.ports.job_cache import JobCache
from skyflow.ports.reporter import Reporter
from skyflow.ports.runner import HashFilesError, Runner
from skyflow.ports.store import TransitionStore

__all__ = ["Driver"]

_ENDS = frozenset({Status.COMPLETED, Status.INTERRUPTED})
"""Where a run is when nothing of it is left to be driven."""
_GROUP_SECONDS = 0.2
"""How often to look whether a concurrency group has become free; other processes cannot tell us."""


class Driver:
    """Drives one run from where it is until it has completed or was interrupted."""

    def __init__(
        self,
        run_id: RunId,
        *,
        store: TransitionStore,
        runner: Runner,
        source: ActionSource,
        host: ActionHost,
        groups: ConcurrencyGroups,
        cache: JobCache,
        reporter: Reporter,
        clock: Clock,
        cost_of: Callable[[str, float], float] | None = None,
        checkpoints: Checkpoints | None = None,
        follow: Callable[[RunState], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            run_id: the run.
            store: where moves are stored.
            runner: what executes scripts.
            source: where actions come from.
            host: what executes actions.
            groups: the concurrency groups.
            cache: the results of earlier runs.
            reporter: who is told.
            clock: the time.
            cost_of: returns what an attempt at a job of so many seconds costs, in US dollars; None if nobody asks.
            checkpoints: what keeps folders of jobs; None where nothing of them is real.
            follow: called with the state of the run whenever that has changed, before anything is done about it.
        """
        self._run_id = run_id
        self._store = store
        self._runner = runner
        self._source = source
        self._host = host
        self._reporter = reporter
        self._clock = clock
        self._sender, self._receiver = anyio.create_memory_object_stream[Event](math.inf)
        self._groups = groups
        self._cache = cache
        self._group_moves: dict[str, GroupMove | None] = {}
        self._asked_for: dict[str, str] = {}  # the groups whose first answer is still to come, by holder
        self._deadlines: dict[TimerKey, float] = {}
        self._cost_of = cost_of
        self._checkpoints = checkpoints
        self._follow = follow
        self._saving: dict[tuple[str, int], anyio.Lock] = {}
        self._releasing = 0
        self._released = anyio.Event()
        self._began: dict[str, float] = {}
        self._stops = 0
        self._moved: tuple[datetime, float] | None = None  # when the last moves were stored, by both clocks

    async def drive(
        self, state: RunState, *, seconds: Mapping[tuple[str, int], float] = MappingProxyType({})
    ) -> RunState:
        """Run to the end and return the last state.

        Args:
            state: where the run is.
            seconds: how long ago the attempts that are under way began, by job key and number.

        Raises:
            StoreError: a move could not be stored; what was running has been killed, and the run can be resumed.
        """
        with self._sender, self._receiver:
            return await self._drive(state, seconds)

    async def _drive(self, state: RunState, seconds: Mapping[tuple[str, int], float]) -> RunState:
        self._follow(state)
        kept = await self._runner.recover(seconds.keys())
        self._began = {key: self._clock.monotonic() - seconds[key, number] for key, number in kept}
        self._groups.leave_lines(self._run_id)
        held = frozenset(
            holder
            for holder, move in self._groups.group_moves(self._run_id).items()
            if move is not GroupMove.SUPERSEDED
        )
        events: Sequence[Event] = (RunBegun({which: seconds[which] for which in kept}, held),)
        async with anyio.create_task_group() as tasks:
            for holder in held:
                self._watch_group(holder, GroupMove.GRANTED, tasks)
            while events:
                state, effects, ending = self._decide(state, events)
                self._follow(state)
                for effect in effects:
                    self._perform(effect, tasks)
                if ending is not None:  # whoever reads that a run has ended may rely on nothing of it being left
                    while self._releasing:
                        await self._released.wait()
                    self._store_moves([ending])
                events = () if state.is_settled() else await self._next_events()
            if self._group_moves:
                self._group_moves.clear()
                self._groups.release_group(self._run_id, None)
        return state

    def request_cancel(self) -> None:
        """Cancel the run; asked again, nothing more happens."""
        self._sender.send_nowait(CancelRequested())

    def replanned(self, rooms: Rooms, prices: Mapping[str, float], not_before: Mapping[str, datetime]) -> None:
        """Take in that what is left of the run has been planned anew."""
        self._sender.send_nowait(Replanned(rooms, prices, not_before))

    def request_stop(self) -> None:
        """Stop the run in good order; asked a second time, at once."""
        self._stops += 1
        force = self._stops > 1
        self._reporter.asked_to_stop(force=force)
        self._sender.send_nowait(StopRequested(force=force))

    def _decide(self, state: RunState, events: Sequence[Event]) -> tuple[RunState, list[Effect], Transition | None]:
        """Take all events in, then store every move they led to in one transaction.

        The move that ends the run, or interrupts it, is not stored yet but returned: what its jobs used is given back first.
        """
        ending: Transition | None = None
        moves: list[Transition] = []
        others: list[Effect] = []
        for event in events:
            state, effects = handle(state, event)
            for effect in effects:
                if isinstance(effect, Transition) and effect.entity is Entity.RUN and effect.new in _ENDS:
                    ending = effect
                elif isinstance(effect, Transition):
                    moves.append(effect)
                else:
                    others.append(effect)
        self._store_moves(moves)
        return state, others, ending

    def _store_moves(self, moves: Sequence[Transition]) -> None:
        if not moves:
            return
        at = self._now()
        self._store.record(self._run_id, moves, at)
        for move in moves:
            self._reporter.moved(move, at)
            self._bill(move)

    def _now(self) -> datetime:
        """Return the wall clock, or what it would show had nobody put it back: no move of a run is before an earlier one."""
        now, ticks = self._clock.now(), self._clock.monotonic()
        if self._moved is not None:
            at, then = self._moved
            now = max(now, at + timedelta(seconds=ticks - then))
        self._moved = now, ticks
        return now

    async def _release(self, job_key: str, attempt: int) -> None:
        async with self._saving.setdefault((job_key, attempt), anyio.Lock()):  # it is not done before that is
            await self._runner.release(job_key, attempt)
        del self._saving[job_key, attempt]
        self._releasing -= 1
        self._released.set()
        self._released = anyio.Event()

    def _perform(self, effect: Effect, tasks: TaskGroup) -> None:  # noqa: C901, PLR0912 -- one case per effect
        match effect:
            case StartStep():
                tasks.start_soon(self._run_step, effect)
            case LoadAction(step=step, uses=uses):
                self._sender.send_nowait(self._load(step, uses))
            case StartAction(step=step, request=request):
                tasks.start_soon(self._run_action, step, request)
            case SetUp():
                tasks.start_soon(self._set_up, effect)
            case SaveCheckpoint():
                tasks.start_soon(self._save_checkpoint, effect)
            case StartContainers():
                tasks.start_soon(self._start_containers, effect)
            case StopContainers(step=step):
                tasks.start_soon(self._stop_containers, step)
            case HashFiles():
                tasks.start_soon(self._hash_files, effect)
            case LookUp(spec_id=spec_id, questions=questions, may_reuse=may_reuse):
                self._sender.send_nowait(LookedUp(spec_id, self._cache.look_up(questions, may_reuse=may_reuse)))
            case Remember(question=question, fingerprint=fingerprint, outputs=outputs):
                self._cache.remember(question, fingerprint, outputs)
            case StopStep(step=step, force=force):
                self._runner.stop_step(step, force=force)
            case ReleaseAttempt(job_key=job_key, attempt=attempt):
                self._releasing += 1
                tasks.start_soon(self._release, job_key, attempt)
            case RequestGroup():
                self._request_group(effect, tasks)
            case ReleaseGroup(holder=holder):
                self._group_moves.pop(holder, None)
                self._groups.release_group(self._run_id, holder)
            case StartTimer(key=key, seconds=seconds):
                self._deadlines[key] = self._clock.monotonic() + seconds
            case WaitUntil(key=key, at=at):
                self._deadlines[key] = self._clock.monotonic() + (at - self._clock.now()).total_seconds()
            case CancelTimer(key=key):
                self._deadlines.pop(key, None)
            case Transition():
                pass  # stored before anything is performed

    def _bill(self, move: Transition) -> None:
        """Tell the machine what an attempt has cost when it ends."""
        key = move.job_key or ""
        if move.entity is not Entity.ATTEMPT or self._cost_of is None:
            return
        now = self._clock.monotonic()
        if move.new is Status.IN_PROGRESS:
            self._began[key] = now
        else:
            seconds = now - self._began.pop(key, now)
            self._sender.send_nowait(Spent(key, move.attempt or 0, self._cost_of(key, seconds)))

    async def _run_step(self, effect: StartStep) -> None:
        step = effect.step
        result = await self._runner.run_step(step, effect.request, lambda text: self._reporter.output(step, text))
        self._sender.send_nowait(StepEnded(step, result))

    async def _set_up(self, effect: SetUp) -> None:
        step = effect.step
        result = await self._runner.set_up(step, lambda text: self._reporter.output(step, text), minutes=effect.minutes)
        if result.exit_code == 0 and effect.checkpoint is not None:
            result = await self._restore_checkpoint(step, effect.checkpoint)
        self._sender.send_nowait(StepEnded(step, result))

    async def _restore_checkpoint(self, step: StepRef, path: str) -> StepResult:
        """Put back what an earlier attempt has kept, once all of them have."""
        for (job_key, _), saving in list(self._saving.items()):
            if job_key == step.job_key:
                async with saving:
                    pass
        if self._checkpoints is None:
            return StepResult(exit_code=0)
        return await self._checkpoints.restore(step, path, lambda text: self._reporter.output(step, text))

    async def _save_checkpoint(self, effect: SaveCheckpoint) -> None:
        saving = self._saving.setdefault((effect.job_key, effect.attempt), anyio.Lock())
        if self._checkpoints is not None:
            step = StepRef(effect.job_key, effect.attempt, 0)
            async with saving:
                await self._checkpoints.save(step, effect.path, lambda text: self._reporter.output(step, text))

    def _request_group(self, effect: RequestGroup, tasks: TaskGroup) -> None:
        self._groups.request_group(
            self._run_id,
            effect.holder,
            effect.group,
            cancel_in_progress=effect.cancel_in_progress,
            keep_pending=effect.keep_pending,
        )
        self._watch_group(effect.holder, None, tasks)
        self._asked_for[effect.holder] = effect.group

    def _watch_group(self, holder: str, known: GroupMove | None, tasks: TaskGroup) -> None:
        if not self._group_moves:
            tasks.start_soon(self._watch_groups)
        self._group_moves[holder] = known

    async def _watch_groups(self) -> None:
        """Tell the machine how its concurrency groups stand, for as long as it has or wants any."""
        while self._group_moves:
            for holder, move in self._groups.group_moves(self._run_id).items():
                if holder in self._group_moves and self._group_moves[holder] is not move:
                    self._group_moves[holder] = move
                    self._sender.send_nowait(GroupMoved(holder, move))
            self._tell_who_waits()
            await anyio.sleep(_GROUP_SECONDS)

    def _tell_who_waits(self) -> None:
        for holder, group in self._asked_for.items():
            if holder in self._group_moves and self._group_moves[holder] is None:
                self._reporter.waits(holder or None, group)
        self._asked_for.clear()

    async def _run_action(self, step: StepRef, request: ActionRequest) -> None:
        result = await self._host.run_action(step, request, lambda text: self._reporter.output(step, text))
        self._sender.send_nowait(StepEnded(step, result))

    async def _start_containers(self, effect: StartContainers) -> None:
        step = effect.step
        result, started = StepResult(exit_code=0), None
        if effect.checkpoint is not None:
            result = await self._restore_checkpoint(step, effect.checkpoint)
        if result.exit_code == 0:
            result, started = await self._runner.start_containers(
                step, effect.request, lambda text: self._reporter.output(step, text)
            )
        self._sender.send_nowait(ContainersStarted(step, result, started))

    async def _stop_containers(self, step: StepRef) -> None:
        result = await self._runner.stop_containers(step, lambda text: self._reporter.output(step, text))
        self._sender.send_nowait(StepEnded(step, result))

    def _load(self, step: StepRef, uses: str) -> ActionLoaded:
        try:
            return ActionLoaded(step, self._source.load(uses))
        except ActionNotFoundError as error:
            return ActionLoaded(step, None, str(error))

    async def _hash_files(self, effect: HashFiles) -> None:
        digest, problem = "", None
        try:
            digest = await self._runner.hash_files(effect.job_key, effect.attempt, effect.patterns)
        except HashFilesError as error:
            problem = str(error)
        self._sender.send_nowait(FilesHashed(effect, digest, problem))

    async def _next_events(self) -> list[Event]:
        """Wait for something to happen, and return all that has."""
        events: list[Event] = []
        while not events:
            await self._wait(events)
        return events

    async def _wait(self, events: list[Event]) -> None:
        patience = min(self._deadlines.values(), default=math.inf) - self._clock.monotonic()
        with anyio.move_on_after(patience):
            events.append(await self._receiver.receive())
            while self._receiver.statistics().current_buffer_used:
                events.append(self._receiver.receive_nowait())
        now = self._clock.monotonic()
        for key in [key for key, deadline in self._deadlines.items() if deadline <= now]:
            del self._deadlines[key]
            events.append(TimerFired(key))
