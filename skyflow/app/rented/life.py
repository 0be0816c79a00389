"""The life of one machine, in a task of its own, so that whatever happens to the run it is given back on the way out."""

from collections.abc import Collection
from contextlib import suppress

import anyio

from skyflow.app.rented.acquiring import Acquiring
from skyflow.app.rented.calls import CloudCalls
from skyflow.app.rented.rental import Makes, Rental, Times
from skyflow.app.rented.watch import Watch
from skyflow.model.machines import Machine, MachineRecord
from skyflow.model.resources import Market
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import stay_command
from skyflow.runners.places import Attempt

__all__ = ["MachineLife"]


class MachineLife:
    """Has machines, lets them be used, and gives them back."""

    def __init__(self, *, acquiring: Acquiring, watch: Watch, makes: Makes, calls: CloudCalls, times: Times) -> None:
        self._acquiring = acquiring
        self._watch = watch
        self._makes = makes
        self._calls = calls
        self._times = times

    async def see_through(
        self, rental: Rental, record: MachineRecord | None = None, under_way: Collection[Attempt] = ()
    ) -> None:
        """Have a machine, let it be used, and give it back.

        With the record of an earlier driver it is that machine, on which the attempts that are under way go on.
        """
        try:
            if record is None:
                await self._acquiring.rent(rental)
            else:
                await self._acquiring.find(rental, record)
            if rental.machine is not None and rental.transport is not None and rental.is_wanted:
                await self._serve(rental, rental.machine, rental.transport, None if record is None else under_way)
        except TransportError as error:
            rental.problem = error
        finally:
            rental.settled.set()
            with anyio.CancelScope(shield=True):
                if rental.transport is not None:
                    await rental.transport.aclose()
                if rental.machine is not None:
                    await self._calls.give_back(rental.machine, rental.tell)
                rental.over.set()
                self._watch.note_released(rental)

    async def _serve(
        self, rental: Rental, machine: Machine, transport: Transport, under_way: Collection[Attempt] | None
    ) -> None:
        """Let a machine be used from when it has booted until its attempt is over."""
        runner = self._makes.runner(transport, self._watch.finding_out(rental, machine, every=2.0))
        async with runner:
            if under_way is not None:
                await runner.recover(under_way)
            rental.runner = runner
            rental.settled.set()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._renew, transport)
                if machine.market is Market.SPOT:
                    tasks.start_soon(self._watch.listen, rental, transport, machine)
                await rental.released.wait()
                tasks.cancel_scope.cancel()

    async def _renew(self, transport: Transport) -> None:
        """Keep a machine from ending itself; while it cannot be reached, others find out whether it is lost."""
        stay = ["sh", "-c", stay_command(self._times.lifetime.silence_seconds)]
        while True:
            with suppress(TransportError):
                await transport.run(stay)
            await anyio.sleep(self._times.renew_every)
