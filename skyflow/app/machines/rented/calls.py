"""Calls to clouds out of the event loop: they block, so that each has a thread of its own."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.rental import Node, Rental
from skyflow.errors import SkyflowError
from skyflow.model.machines import Machine, MachineRecord
from skyflow.provisioners.fleet import Fleet

__all__ = ["CloudCalls"]

_T = TypeVar("_T")
_MOST_THREADS = 256
"""A machine uses one while it starts and one while it ends."""


class CloudCalls:
    """The fleets of all clouds, each opened when it is asked for first."""

    def __init__(self, open_fleet: Callable[[str], Fleet], keys: MachineKeys) -> None:
        self._open_fleet = open_fleet
        self._keys = keys
        self._fleets: dict[str, Fleet] = {}
        self._opening = anyio.Lock()
        self._threads = anyio.CapacityLimiter(_MOST_THREADS)

    async def fleet(self, provider: str) -> Fleet:
        """Return the machines of a cloud, whose SDK is imported when it is asked for first.

        Raises:
            UsageError: the SDK is not installed.
            CloudError: its configuration cannot be used.
        """
        async with self._opening:
            if provider not in self._fleets:
                self._fleets[provider] = await self.blocking(partial(self._open_fleet, provider))
            return self._fleets[provider]

    async def blocking(self, work: Callable[[], _T]) -> _T:
        """Do something that blocks, in a thread."""
        return await anyio.to_thread.run_sync(work, limiter=self._threads)

    async def give_back(self, machine: Machine, tell: Callable[[str], None]) -> None:
        """Remove a machine, and then its key; what cannot be done now is told, and left to the sweeper."""
        try:
            fleet = await self.fleet(machine.provider)
            is_gone = await self.blocking(partial(fleet.release, machine))
        except SkyflowError as error:
            tell(f"{machine.console_id} could not be removed: {error}; `skyflow gc` will try again\n")
        else:
            if is_gone:
                self._keys.forget_host(machine.name)

    async def give_back_all(self, rental: Rental) -> None:
        """Give back every machine of a rental, at once, and break the links to them."""
        nodes, rental.nodes = rental.by_rank, {}
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                for node in nodes:
                    tasks.start_soon(self._leave, node, rental.tell)

    async def _leave(self, node: Node, tell: Callable[[str], None]) -> None:
        if node.transport is not None:
            await node.transport.aclose()
        await self.give_back(node.machine, tell)

    async def discard(self, record: MachineRecord) -> None:
        """Remove what an earlier driver has asked for, whatever became of it; else the sweeper will find it."""
        with anyio.CancelScope(shield=True), suppress(SkyflowError):
            fleet = await self.fleet(record.offering.provider)
            if await self.blocking(partial(fleet.discard, record)):
                self._keys.forget_host(record.name)
