"""A pool of known machines, each with room for some jobs at once."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio

from skyflow.model.layout import RunFolder
from skyflow.ports.transport import TransportError
from skyflow.runners.places import Attempt
from skyflow.runners.remote import RemoteRunner

__all__ = ["HostPool", "PoolHost"]

_CHECK_SECONDS = 30.0
"""How long a machine may take to answer before another one of its pool is tried."""


@dataclass(slots=True)
class PoolHost:
    """One machine of a pool: what runs steps there, and how many jobs it takes at once."""

    runner: RemoteRunner
    slots: int = 1
    is_lost: bool = False
    attempts: set[Attempt] = field(default_factory=set)

    @property
    def is_free(self) -> bool:
        """Whether there is room for another job."""
        return len(self.attempts) < self.slots


class HostPool:
    """A place of several machines that are there already; see `skyflow.runners.places.Place`."""

    def __init__(self, name: str, hosts: Sequence[PoolHost], *, folder: RunFolder) -> None:
        """Prepare; nothing happens yet.

        Args:
            name: what the pool is called.
            hosts: its machines.
            folder: where it is written down which machine an attempt runs on.
        """
        self._name = name
        self._hosts = hosts
        self._folder = folder
        self._chosen: dict[Attempt, PoolHost] = {}
        self._choosing = anyio.Lock()
        self._freed = anyio.Event()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Enter the runners of all machines."""
        for host in self._hosts:
            await self._stack.enter_async_context(host.runner)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Leave them."""
        return await self._stack.__aexit__(kind, error, trace)

    async def take(self, which: Attempt, tell: Callable[[str], None]) -> RemoteRunner:
        """Choose the machine that has most room and answers; wait for room if there is none."""
        del tell  # which machine it is, the workspace says
        async with self._choosing:
            while which not in self._chosen:
                await self._choose_one(which)
        return self._chosen[which].runner

    def taken(self, which: Attempt) -> RemoteRunner | None:
        """Return what runs the steps of an attempt."""
        host = self._chosen.get(which)
        return None if host is None else host.runner

    def heard(self, which: Attempt, *, is_lost: bool) -> None:
        """Remember which machines do not answer: they are chosen last."""
        if which in self._chosen:
            self._chosen[which].is_lost = is_lost

    async def release(self, which: Attempt) -> None:
        """Make room for another attempt."""
        host = self._chosen.pop(which, None)
        if host is None:
            return
        try:
            if not host.is_lost:
                await host.runner.release(*which)
        finally:
            host.attempts.discard(which)
            self._freed.set()

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Let every machine go on with what it was chosen for."""
        owners = {which: self._written(which) for which in attempts}
        kept: frozenset[Attempt] = frozenset()
        for host in self._hosts:
            own = await host.runner.recover([which for which, name in owners.items() if name == host.runner.name])
            for which in own:
                self._choose(which, host)
            kept |= own
        return kept

    async def _choose_one(self, which: Attempt) -> None:
        """Choose a machine for an attempt, or wait until one may be free.

        Raises:
            TransportError: all of them are free, and none can be used.
        """
        hosts = sorted(self._hosts, key=lambda host: (host.is_lost, len(host.attempts) / host.slots))
        free = [host for host in hosts if host.is_free]
        if not free:
            self._freed = anyio.Event()
            await self._freed.wait()
            return
        problem = TransportError(f"no machine of the pool '{self._name}' can be reached")
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

    def _choose(self, which: Attempt, host: PoolHost) -> None:
        self._chosen[which] = host
        host.attempts.add(which)
        file = self._folder.host(*which)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(host.runner.name, encoding="utf-8")

    def _written(self, which: Attempt) -> str:
        with suppress(OSError):
            return self._folder.host(*which).read_text(encoding="utf-8")
        return ""
