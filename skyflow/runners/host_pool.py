"""A pool of known machines, each with room for some jobs at once."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import anyio

from skyflow.model.layout import RunFolder
from skyflow.ports.clock import Clock
from skyflow.ports.transport import TransportError
from skyflow.runners.gang import GangRunner
from skyflow.runners.places import Attempt, MachineRunner
from skyflow.runners.remote.answers import first_that_answer
from skyflow.runners.remote.note import note_hosts, noted_hosts
from skyflow.runners.remote.runner import RemoteRunner

__all__ = ["HostPool", "PoolHost"]

_CHECK_SECONDS = 20.0
"""How long a machine may take to answer."""
_PATIENCE_SECONDS = 2.0
"""How long a machine may be silent before another one of its pool is asked as well."""


@dataclass(slots=True)
class PoolHost:
    """One machine of a pool: what runs steps there, and how many jobs it takes at once.

    It `is_lost` if it could not be used, and `is_silent` if others answered sooner: then it is chosen last.
    """

    runner: RemoteRunner
    slots: int = 1
    is_lost: bool = False
    is_silent: bool = False
    attempts: set[Attempt] = field(default_factory=set)

    @property
    def is_free(self) -> bool:
        """Whether there is room for another job."""
        return len(self.attempts) < self.slots


class HostPool:
    """A place of several machines that are there already; see `skyflow.runners.places.Place`."""

    def __init__(
        self,
        name: str,
        hosts: Sequence[PoolHost],
        *,
        folder: RunFolder,
        clock: Clock,
        nodes_of: Callable[[str], int] = lambda _: 1,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            name: what the pool is called.
            hosts: its machines.
            folder: where it is written down which machines an attempt runs on.
            clock: the time, for the index of logs.
            nodes_of: how many machines a job takes at once, by its key.
        """
        self._name = name
        self._hosts = hosts
        self._folder = folder
        self._clock = clock
        self._nodes_of = nodes_of
        self._chosen: dict[Attempt, tuple[PoolHost, ...]] = {}
        self._runners: dict[Attempt, MachineRunner] = {}
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

    async def take(self, which: Attempt, tell: Callable[[str], None], *, minutes: float | None = None) -> MachineRunner:
        """Choose the machines that have most room and answer, all that a job takes or none; wait until there is room."""
        del minutes
        if which in self._runners:  # others may wait for room all the while
            return self._runners[which]
        async with self._choosing:
            while which not in self._runners:
                freed = self._freed = anyio.Event()  # before looking: what becomes free meanwhile counts
                found = await self._find(which, tell)
                if found:
                    self._choose(which, found, [await host.runner.address() for host in found])
                else:
                    await freed.wait()
        return self._runners[which]

    def taken(self, which: Attempt) -> MachineRunner | None:
        """Return what runs the steps of an attempt."""
        return self._runners.get(which)

    def neighbours(self, which: Attempt) -> Sequence[RemoteRunner]:
        """Return the other machines on which the run has had jobs."""
        own = self._chosen.get(which, ())
        others = [host for host in self._hosts if host not in own and not host.is_lost]
        return [host.runner for host in others if host.runner.workspaces.marker.exists()]

    def heard(self, which: Attempt, *, is_lost: bool) -> None:
        """Remember which machines do not answer: they are chosen last."""
        runner = self._runners.get(which)
        for rank, host in enumerate(self._chosen.get(which, ())):
            host.is_lost = is_lost and (not isinstance(runner, GangRunner) or rank in runner.lost)

    def is_taken_away(self, which: Attempt) -> bool:  # noqa: ARG002 -- nobody else has a say in it
        """Say no: the machines are ours."""
        return False

    async def release(self, which: Attempt) -> None:
        """Make room for another attempt."""
        hosts, runner = self._chosen.pop(which, ()), self._runners.pop(which, None)
        try:
            if isinstance(runner, GangRunner) or (runner is not None and not hosts[0].is_lost):
                await runner.release(*which)
        finally:
            for host in hosts:
                host.attempts.discard(which)
            self._freed.set()

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Let the machines go on with what they were chosen for, if all of them know of it; end all else there."""
        by_name = {host.runner.name: host for host in self._hosts}
        kept = []
        for which in attempts:
            written = noted_hosts(self._folder.host(*which))
            hosts = [by_name[name] for name, _ in written if name in by_name]
            runners = self._members(which, hosts)
            if len(hosts) == self._nodes_of(which[0]) and all(each.knows(*which) for each in runners):
                for each in runners:
                    each.recall(*which)
                self._choose(which, hosts, [address for _, address in written])
                kept.append(which)
        async with anyio.create_task_group() as tasks:
            for host in self._hosts:
                if host.runner.workspaces.marker.exists():
                    tasks.start_soon(host.runner.sweep)
        return frozenset(kept)

    async def _find(self, which: Attempt, tell: Callable[[str], None]) -> list[PoolHost]:
        """Return as many machines as a job takes; none if others may become free. Say once why one is passed over.

        Raises:
            TransportError: all of them are free, and too few can be used.
        """
        nodes = self._nodes_of(which[0])
        if sum(host.is_free for host in self._hosts) < min(nodes, len(self._hosts)):
            return []
        free = sorted(
            (host for host in self._hosts if host.is_free),
            key=lambda host: (host.is_lost, host.is_silent, len(host.attempts) / host.slots),
        )
        problem = TransportError(
            f"the pool '{self._name}' has {len(self._hosts)} machines, and the job takes {nodes} at once"
        )
        found, others = await first_that_answer(
            free, nodes, lambda host: host.runner.check(_CHECK_SECONDS), patience_seconds=_PATIENCE_SECONDS
        )
        for host in found:
            host.is_silent = False
        for number, error in others.items():
            if error is not None and not free[number].is_lost and len(self._hosts) > 1:
                tell(f"warning: a machine of the pool '{self._name}' is passed over: {error}\n")
            free[number].is_lost = free[number].is_lost or error is not None
            free[number].is_silent = error is None
            problem = error or problem
        if len(found) == nodes:
            return found
        if len(free) == len(self._hosts):
            raise problem
        return []

    def _choose(self, which: Attempt, hosts: Sequence[PoolHost], addresses: Sequence[str]) -> None:
        members = self._members(which, hosts)
        is_gang = self._nodes_of(which[0]) > 1
        self._chosen[which] = tuple(hosts)
        self._runners[which] = (
            GangRunner(members, addresses, folder=self._folder, clock=self._clock) if is_gang else members[0]
        )
        for host in hosts:
            host.attempts.add(which)
        named = [(host.runner.name, address) for host, address in zip(hosts, addresses, strict=True)]
        note_hosts(self._folder.host(*which), named)

    def _members(self, which: Attempt, hosts: Sequence[PoolHost]) -> list[RemoteRunner]:
        if self._nodes_of(which[0]) == 1:
            return [host.runner for host in hosts]
        return [host.runner.node(rank) for rank, host in enumerate(hosts)]
