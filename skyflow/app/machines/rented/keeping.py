"""Machines that stay after their jobs for somebody to look at what is there, and end themselves when their time is over."""

import math
from datetime import timedelta
from functools import partial

import anyio

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.rental import Node, Rental, Times
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import MachineJournal
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import stay_command

__all__ = ["Keeping", "order_to_stay"]


class Keeping:
    """Leaves machines where that was asked for, each with a last order to stay for so long and no longer."""

    def __init__(
        self, *, plan: LivePlan, journal: MachineJournal, calls: CloudCalls, clock: Clock, times: Times
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._calls = calls
        self._clock = clock
        self._times = times

    async def keep(self, rental: Rental) -> None:
        """Leave machines that their job does not need any more.

        They go all the same if the job will have others, or if one does not take the order: then nothing would end it in time.
        """
        seconds = self._times.keep
        if not seconds or rental.is_lost or rental.taken_away or not self._plan.has_ended(rental.user[0]):
            return
        until = self._clock.now() + timedelta(seconds=seconds)
        for node in rental.by_rank:
            await self._calls.blocking(partial(self._journal.kept, node.machine.name, until))
        for node in rental.by_rank:
            if problem := await self._order(node, math.ceil(seconds)):
                rental.tell(f"{node.machine.console_id} cannot be kept: {problem}\n")
                return
        for node in rental.by_rank:
            if node.runner is not None:
                node.runner.leave()
            rental.tell(f"{node.machine.console_id} is kept until {until.astimezone():%H:%M}\n")
        rental.is_kept = True

    async def _order(self, node: Node, seconds: int) -> str:
        """Order a machine to end itself after some seconds; return what is wrong if that was not done."""
        if node.transport is None:
            return "it never let us in"
        return await order_to_stay(node.transport, seconds, within=self._times.clean_up_within)


async def order_to_stay(transport: Transport, seconds: int, *, within: float) -> str:
    """Order a machine to end itself after some seconds; return what is wrong if it has not taken that `within` others."""
    try:
        with anyio.fail_after(within):
            ended = await transport.run(["sh", "-c", stay_command(seconds)])
    except TimeoutError:
        return "it does not answer"
    except TransportError as error:
        return str(error)
    return ended.error_text.strip() or f"exit code {ended.exit_code}" if ended.exit_code else ""
