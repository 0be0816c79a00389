"""The life of what an attempt rents, in a task of its own, so that whatever happens to the run it is given back on the way out."""

from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, suppress

import anyio

from skyflow.app.machines.rented.acquiring import Acquiring
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.keeping import Keeping
from skyflow.app.machines.rented.pacing import Pacing
from skyflow.app.machines.rented.rental import Makes, Rental, Times
from skyflow.app.machines.rented.watch import Watch
from skyflow.errors import InternalError
from skyflow.model.machines import MachineRecord
from skyflow.model.resources import Market
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import stay_command
from skyflow.runners.places import Attempt
from skyflow.runners.remote.runner import RemoteRunner

__all__ = ["MachineLife"]


class MachineLife:
    """Has machines, lets them be used, and gives them back."""

    def __init__(
        self,
        *,
        acquiring: Acquiring,
        watch: Watch,
        pacing: Pacing,
        keeping: Keeping,
        makes: Makes,
        calls: CloudCalls,
        times: Times,
    ) -> None:
        self._acquiring = acquiring
        self._watch = watch
        self._pacing = pacing
        self._keeping = keeping
        self._makes = makes
        self._calls = calls
        self._times = times

    async def see_through(
        self, rental: Rental, records: Sequence[MachineRecord] = (), under_way: Collection[Attempt] = ()
    ) -> None:
        """Have the machines of an attempt, let them be used, and give them back, unless they are to be kept.

        With the records of an earlier driver it is those machines, on which the attempts that are under way go on.
        """
        try:
            if records:
                await self._acquiring.find(rental, records)
            else:
                await self._acquiring.rent(rental)
            if rental.is_wanted and rental.nodes:
                await self._serve(rental, under_way if records else None)
        except TransportError as error:
            rental.problem = error
        finally:
            rental.settled.set()
            with anyio.CancelScope(shield=True):
                self._watch.note_released(rental)
                if not rental.is_kept:
                    await self._calls.give_back_all(rental)
                rental.over.set()

    async def _serve(self, rental: Rental, under_way: Collection[Attempt] | None) -> None:
        """Let machines be used from when they have booted until their attempt is over."""
        async with AsyncExitStack() as stack:
            members = [await self._member(rental, rank, stack, under_way) for rank in sorted(rental.nodes)]
            is_gang = len(members) > 1
            rental.runner = (
                self._makes.gang(members, [node.address for node in rental.by_rank]) if is_gang else members[0]
            )
            rental.settled.set()
            async with anyio.create_task_group() as tasks:
                for node in rental.by_rank:
                    if node.transport is not None:
                        tasks.start_soon(self._renew, node.transport)
                        if node.machine.market is Market.SPOT:
                            tasks.start_soon(self._watch.listen, rental, node, node.transport)
                tasks.start_soon(self._pacing.watch, rental)
                await rental.released.wait()
                tasks.cancel_scope.cancel()
            await self._keeping.keep(rental)

    async def _member(
        self, rental: Rental, rank: int, stack: AsyncExitStack, under_way: Collection[Attempt] | None
    ) -> RemoteRunner:
        """Return what runs steps on a machine, which goes on with what is under way there."""
        node = rental.nodes[rank]
        if node.transport is None:
            raise InternalError(f"{node.machine.console_id} is used before it has let us in")
        runner = self._makes.runner(node.transport, self._watch.finding_out(rental, node, every=2.0))
        node.runner = await stack.enter_async_context(runner)
        if len(rental.nodes) == 1:
            if under_way is not None:
                await runner.recover(under_way)
            return runner
        member = runner.node(rank)
        for which in under_way or ():
            if member.knows(*which):
                member.recall(*which)
        if under_way is not None and runner.workspaces.marker.exists():
            await runner.sweep()
        return member

    async def _renew(self, transport: Transport) -> None:
        """Keep a machine from ending itself; while it cannot be reached, others find out whether it is lost."""
        stay = ["sh", "-c", stay_command(self._times.lifetime.silence_seconds)]
        while True:
            with suppress(TransportError):
                await transport.run(stay)
            await anyio.sleep(self._times.renew_every)
