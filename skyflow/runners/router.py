"""Runs each job where it is placed: on this machine, or in one of several places of other machines."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from types import TracebackType
from typing import Self

import anyio

from skyflow.model.artifacts import Entry, EntryKind
from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.transfers import Leg
from skyflow.ports.artifacts import ContentStore
from skyflow.ports.clock import Clock
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.deliveries import Deliveries
from skyflow.runners.deposits import Deposits
from skyflow.runners.local.runner import LocalRunner
from skyflow.runners.output.step_log import StepLog
from skyflow.runners.places import Attempt, MachineRunner, MovedError, Place
from skyflow.runners.remote.project_files import ProjectFilesError

__all__ = ["RunnerRouter"]


class RunnerRouter:
    """The runner of a run whose jobs run in several places, as an asynchronous context that owns theirs."""

    def __init__(
        self,
        here: LocalRunner,
        *,
        places: Mapping[str, Place],
        place_of: Callable[[str], str],
        folder: RunFolder,
        clock: Clock,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            here: the runner of this machine.
            places: all others, by name.
            place_of: the place of a job by its key, when an attempt at it begins; nothing for this machine.
            folder: where the logs of set-ups go.
            clock: the time, for the index of logs.
        """
        self._folder = folder
        self._clock = clock
        self._deliveries = Deliveries(clock, scratch=folder.root / "temp")
        self._deposits = Deposits(clock, scratch=folder.root / "temp")
        self._here = here
        self._places = places
        self._place_of = place_of
        self._used: dict[Attempt, Place] = {}
        self._waiting: dict[StepRef, anyio.CancelScope] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter all runners."""
        await self._stack.enter_async_context(self._here)
        for place in self._places.values():
            await self._stack.enter_async_context(place)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Leave all runners."""
        return await self._stack.__aexit__(kind, error, trace)

    def is_elsewhere(self, job_key: str) -> bool:
        """Tell whether a job runs on another machine."""
        return bool(self._place_of(job_key))

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Let this machine and every place take over what is their own."""
        kept = await self._here.recover([which for which in attempts if not self._place_of(which[0])])
        for name, place in self._places.items():
            own = await place.recover([which for which in attempts if self._place_of(which[0]) == name])
            self._used |= dict.fromkeys(own, place)
            kept |= own
        return kept

    async def set_up(self, step: StepRef, output: Callable[[str], None], *, minutes: float | None = None) -> StepResult:
        """Have a machine for an attempt, and bring the project to it."""
        which = (step.job_key, step.attempt)
        with closing(StepLog(self._folder.log(step), self._clock)) as log:

            def tell(line: str) -> None:
                log.write(line.encode())
                output(line)

            runner: LocalRunner | MachineRunner | None = None
            try:
                with anyio.CancelScope() as self._waiting[step]:
                    runner = await self._runner(which, tell, minutes=minutes)
                    if isinstance(runner, MachineRunner):
                        await runner.workspaces.paths(*which, tell)
                    return StepResult(exit_code=0)
            except MovedError as error:
                return StepResult(exit_code=None, lost=str(error))
            except LinkLostError as error:
                if runner is not None:
                    return StepResult(exit_code=None, lost=f"{runner.name} is lost: {error}")
                return StepResult(exit_code=None, not_started=str(error))
            except (TransportError, ProjectFilesError, OSError) as error:
                return StepResult(exit_code=None, not_started=str(error))
            finally:
                del self._waiting[step]
        return StepResult(exit_code=None, stopped=True)

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        return await self._on(step, lambda runner: runner.run_step(step, request, output), output)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        return await self._on(step, lambda runner: runner.run_action(step, request, output), output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work of a built-in action in this process, as a step of the job it belongs to."""
        return await self._on(step, lambda runner: runner.run_here(step, work, output), output)

    def seen_outside(self, step: StepRef, request: ActionRequest) -> ActionRequest | None:
        """Return a request whose paths are those of this machine, if its step runs in a container here."""
        return None if self.is_elsewhere(step.job_key) else self._here.seen_outside(step, request)

    async def start_containers(
        self, step: StepRef, request: ContainersRequest, output: Callable[[str], None]
    ) -> tuple[StepResult, StartedContainers | None]:
        """Start the containers of an attempt on this machine."""
        if self.is_elsewhere(step.job_key):
            return StepResult(exit_code=None, not_started="containers are started on this machine only so far"), None
        return await self._here.start_containers(step, request, output)

    async def stop_containers(self, step: StepRef, output: Callable[[str], None]) -> StepResult:
        """Stop the containers of an attempt and remove them."""
        return await self._here.stop_containers(step, output)

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a running step."""
        if step in self._waiting:
            self._waiting[step].cancel()
            return
        which = (step.job_key, step.attempt)
        runner = self._used[which].taken(which) if which in self._used else None
        (runner or self._here).stop_step(step, force=force)

    async def release(self, job_key: str, attempt: int) -> None:
        """End everything an attempt left running, and give its machine back."""
        place = self._used.pop((job_key, attempt), None)
        if place is None:
            await self._here.release(job_key, attempt)
        else:
            await place.release((job_key, attempt))

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the workspace of an attempt."""
        try:
            runner = await self._runner((job_key, attempt), lambda _: None)
        except TransportError as error:
            raise HashFilesError(f"hashFiles: {error}") from error
        return await runner.hash_files(job_key, attempt, patterns)

    async def matching_files(self, step: StepRef, patterns: str) -> list[Entry]:
        """Return the files in the workspace of a job that runs elsewhere that match patterns, with their contents.

        Raises:
            TransportError, ProjectFilesError, PatternError: they cannot be found or read.
        """
        files = await (await self._remote(step)).workspaces.files(step.job_key, step.attempt)
        return await files.matching(patterns)

    async def files_below(self, step: StepRef, path: str) -> list[Entry]:
        """Return everything at and below a path in the workspace of a job that runs elsewhere, as it is.

        Raises:
            TransportError, ProjectFilesError: it cannot be read.
        """
        files = await (await self._remote(step)).workspaces.files(step.job_key, step.attempt)
        return await files.below(path)

    async def deposit(
        self,
        step: StepRef,
        entries: Sequence[Entry],
        *,
        store: ContentStore,
        keep_as: str,
        tell: Callable[[str], None],
    ) -> tuple[list[Entry], list[Leg]]:
        """Store the contents of files in the workspace of a job that runs elsewhere; return what was stored, and the ways.

        Where machines reach one another, they are also kept on the machine, under a name, for the jobs that need them next.

        Raises:
            TransportError, ProjectFilesError, ArtifactError, OSError: something cannot be read or stored.
        """
        which = (step.job_key, step.attempt)
        workspaces = (await self._remote(step)).workspaces
        origin, *_ = await workspaces.destinations(*which)  # of several machines, the first speaks for all
        stored = await self._deposits.deposit(entries, origin, store=store, tell=tell)
        if self._used[which].neighbours(which) is not None:
            names = [entry.path for entry in entries if entry.kind is EntryKind.FILE]
            await workspaces.keep(*which, keep_as, names)
        return stored

    async def deliver(
        self, step: StepRef, entries: Sequence[Entry], *, store: ContentStore, tell: Callable[[str], None]
    ) -> list[Leg]:
        """Put files, folders and links into the workspace of a job that runs elsewhere, by the shortest way.

        Args:
            step: whose job.
            entries: what is put where.
            store: where it is, if no other machine has it.
            tell: takes a line for the log.

        Raises:
            TransportError, ProjectFilesError, ArtifactError, OSError: they cannot be brought.
        """
        which = step.job_key, step.attempt
        destinations = await (await self._remote(step)).workspaces.destinations(*which)
        others = self._used[which].neighbours(which)
        data = None if others is None else [each.workspaces.data for each in others]
        return await self._deliveries.deliver(entries, destinations, others=data, store=store, tell=tell)

    async def _on(
        self,
        step: StepRef,
        work: Callable[[LocalRunner | MachineRunner], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        which = (step.job_key, step.attempt)
        runner: LocalRunner | MachineRunner | None = None
        try:
            with anyio.CancelScope() as self._waiting[step]:
                runner = await self._runner(which, output)
        except TransportError as error:
            return StepResult(exit_code=None, not_started=str(error))
        finally:
            del self._waiting[step]
        if runner is None:
            return StepResult(exit_code=None, stopped=True)
        place = self._used.get(which)
        if place is None:
            return await work(runner)
        if place.is_taken_away(which):
            return StepResult(exit_code=None, preempted=True)
        result = await work(runner)
        place.heard(which, is_lost=result.lost is not None)
        if place.is_taken_away(which) and result.exit_code != 0:
            return StepResult(exit_code=None, preempted=True, masks=result.masks)
        return result

    async def _runner(
        self, which: Attempt, tell: Callable[[str], None], *, minutes: float | None = None
    ) -> LocalRunner | MachineRunner:
        """Return the runner of an attempt.

        Raises:
            TransportError: there is no machine for it.
        """
        name = self._place_of(which[0])
        if not name and which not in self._used:
            return self._here
        place = self._used.setdefault(which, self._places[name])
        return await place.take(which, tell, minutes=minutes)

    async def _remote(self, step: StepRef) -> MachineRunner:
        which = (step.job_key, step.attempt)
        return await self._used[which].take(which, lambda _: None)
