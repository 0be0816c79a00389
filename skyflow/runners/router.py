"""Runs each job where it is placed: on this machine, or on one machine of a pool."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import ActionRequest, StepRef, StepRequest, StepResult
from skyflow.model.layout import RunFolder
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import TransportError
from skyflow.runners.local import LocalRunner
from skyflow.runners.remote import RemoteRunner

__all__ = ["PoolHost", "RunnerRouter"]

_CHECK_SECONDS = 30.0
"""How long a machine may take to answer before another one of its pool is tried."""

_Attempt = tuple[str, int]


@dataclass(slots=True)
class PoolHost:
    """One machine of a pool: what runs steps there, and how many jobs it takes at once."""

    runner: RemoteRunner
    slots: int = 1
    is_lost: bool = False
    attempts: set[_Attempt] = field(default_factory=set)

    @property
    def is_free(self) -> bool:
        """Whether there is room for another job."""
        return len(self.attempts) < self.slots


class RunnerRouter:
    """The runner of a run whose jobs run in several places, as an asynchronous context that owns theirs."""

    def __init__(
        self,
        here: LocalRunner,
        *,
        pools: Mapping[str, Sequence[PoolHost]],
        pool_of: Callable[[str], str],
        folder: RunFolder,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            here: the runner of this machine.
            pools: the machines of each pool.
            pool_of: the pool of a job by its key; nothing for one that runs here.
            folder: where it is written down which machine an attempt runs on.
        """
        self._here = here
        self._pools = pools
        self._pool_of = pool_of
        self._folder = folder
        self._chosen: dict[_Attempt, PoolHost] = {}
        self._choosing = anyio.Lock()
        self._freed = anyio.Event()
        self._waiting: dict[StepRef, anyio.CancelScope] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter all runners."""
        await self._stack.enter_async_context(self._here)
        for host in self._hosts():
            await self._stack.enter_async_context(host.runner)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Leave all runners."""
        return await self._stack.__aexit__(kind, error, trace)

    def is_elsewhere(self, job_key: str) -> bool:
        """Tell whether a job runs on another machine."""
        return bool(self._pool_of(job_key))

    async def recover(self, attempts: Collection[_Attempt]) -> frozenset[_Attempt]:
        """Let every runner take over what is its own."""
        hosts = {host.runner.name: host for host in self._hosts()}
        owners = {which: hosts.get(self._written(which)) for which in attempts}
        kept = await self._here.recover([which for which in attempts if not self._pool_of(which[0])])
        for host in hosts.values():
            own = await host.runner.recover([which for which, owner in owners.items() if owner is host])
            for which in own:
                self._choose(which, host)
            kept |= own
        return kept

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end."""
        return await self._on(step, lambda runner: runner.run_step(step, request, output))

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action to its end."""
        return await self._on(step, lambda runner: runner.run_action(step, request, output))

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work of a built-in action in this process, as a step of the job it belongs to."""
        return await self._on(step, lambda runner: runner.run_here(step, work, output))

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
        host = self._chosen.get((step.job_key, step.attempt))
        (host.runner if host is not None else self._here).stop_step(step, force=force)

    async def release(self, job_key: str, attempt: int) -> None:
        """End everything an attempt left running, and make room for another one."""
        host = self._chosen.pop((job_key, attempt), None)
        if host is None:
            await self._here.release(job_key, attempt)
            return
        try:
            if not host.is_lost:
                await host.runner.release(job_key, attempt)
        finally:
            host.attempts.discard((job_key, attempt))
            self._freed.set()

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of the workspace of an attempt."""
        try:
            runner = await self._runner((job_key, attempt))
        except TransportError as error:
            raise HashFilesError(f"hashFiles: {error}") from error
        return await runner.hash_files(job_key, attempt, patterns)

    async def fetch(self, step: StepRef, patterns: str, target: Path) -> None:
        """Copy files of the workspace of a job that runs elsewhere to a folder here.

        Raises:
            TransportError, PatternError, OSError: they cannot be copied.
        """
        await self._chosen[step.job_key, step.attempt].runner.workspaces.fetch(
            step.job_key, step.attempt, patterns, target
        )

    async def send(self, step: StepRef, source: Path) -> None:
        """Copy everything in a folder here to the workspace of a job that runs elsewhere.

        Raises:
            TransportError, OSError: it cannot be copied.
        """
        await self._chosen[step.job_key, step.attempt].runner.workspaces.send(step.job_key, step.attempt, source)

    async def _on(
        self, step: StepRef, work: Callable[[LocalRunner | RemoteRunner], Awaitable[StepResult]]
    ) -> StepResult:
        which = (step.job_key, step.attempt)
        runner: LocalRunner | RemoteRunner | None = None
        try:
            with anyio.CancelScope() as self._waiting[step]:
                runner = await self._runner(which)
        except TransportError as error:
            return StepResult(exit_code=None, not_started=str(error))
        finally:
            del self._waiting[step]
        if runner is None:
            return StepResult(exit_code=None, stopped=True)
        result = await work(runner)
        host = self._chosen.get(which)
        if host is not None:
            host.is_lost = result.lost is not None
        return result

    async def _runner(self, which: _Attempt) -> LocalRunner | RemoteRunner:
        """Return the runner of an attempt; a machine is chosen for it when it is asked for the first time.

        Raises:
            TransportError: no machine of its pool can be used.
        """
        pool = self._pool_of(which[0])
        if not pool:
            return self._here
        async with self._choosing:
            while which not in self._chosen:
                await self._choose_from(pool, which)
        return self._chosen[which].runner

    async def _choose_from(self, pool: str, which: _Attempt) -> None:
        """Choose the machine that has most room and answers; wait for room if there is none."""
        hosts = sorted(self._pools[pool], key=lambda host: (host.is_lost, len(host.attempts) / host.slots))
        free = [host for host in hosts if host.is_free]
        if not free:
            self._freed = anyio.Event()
            await self._freed.wait()
            return
        problem = TransportError(f"no machine of the pool '{pool}' can be reached")
        for host in free:
            try:
                await host.runner.check(_CHECK_SECONDS)
            except TransportError as error:
                problem, host.is_lost = error, True
            else:
                self._choose(which, host)
                return
        if len(free) == len(hosts):
            raise problem
        self._freed = anyio.Event()  # those that answer are busy
        await self._freed.wait()

    def _choose(self, which: _Attempt, host: PoolHost) -> None:
        self._chosen[which] = host
        host.attempts.add(which)
        file = self._folder.host(*which)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(host.runner.name, encoding="utf-8")

    def _written(self, which: _Attempt) -> str:
        with suppress(OSError):
            return self._folder.host(*which).read_text(encoding="utf-8")
        return ""

    def _hosts(self) -> list[PoolHost]:
        return [host for hosts in self._pools.values() for host in hosts]
