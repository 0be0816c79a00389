"""Whether machines are still there: their clouds are asked, and spot machines listen for the notice that they have to go."""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import anyio

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.rental import Inquiry, Node, Rental, Times
from skyflow.model.availability import Outcome
from skyflow.model.blocks import Block, block_after
from skyflow.model.machines import FailureKind, MachineState, Scope
from skyflow.model.resources import Market
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.notices import notice_command

__all__ = ["Watch"]

_GONE = frozenset({MachineState.STOPPING, MachineState.STOPPED, MachineState.FAILED, MachineState.GONE})


class Watch:
    """Finds out that machines are gone or about to be, and remembers where not to ask for the next one."""

    def __init__(
        self, *, plan: LivePlan, calls: CloudCalls, clock: Clock, times: Times, give_up: Callable[[Rental], None]
    ) -> None:
        """Begin with nothing heard; `give_up` is called with a machine that is taken away, in case nobody has it."""
        self._plan = plan
        self._calls = calls
        self._clock = clock
        self._times = times
        self._give_up = give_up
        self._taken_away: dict[str, Block] = {}

    def block_for(self, job_key: str) -> Block | None:
        """Return once where the machine of a job was taken away, so that its next one is asked for elsewhere."""
        return self._taken_away.pop(job_key, None)

    def finding_out(self, rental: Rental, node: Node, *, every: float) -> Inquiry:
        """Return what asks the cloud about a machine, at most once in so many seconds."""
        asked, machine = -math.inf, node.machine

        async def find_out() -> str | None:
            nonlocal asked
            if self._clock.monotonic() - asked < every:
                return None
            asked = self._clock.monotonic()
            try:
                fleet = await self._calls.fleet(machine.provider)
                now = await self._calls.blocking(partial(fleet.look, machine))
            except CloudError:  # nobody knows, then; the link's own patience counts
                return None
            if now is not None and now.state not in _GONE:
                return None
            detail = "" if now is None else f", {now.state}{f': {now.detail}' if now.detail else ''}"
            if machine.market is Market.SPOT:
                self._note_taken_away(rental, node, f"it is gone{detail}")
            return f"{machine.console_id} is gone{detail}"

        return find_out

    async def listen(self, rental: Rental, node: Node, transport: Transport) -> None:
        """Wait for the notice that a machine is about to be taken away, and stop what runs on it and beside it."""
        command = notice_command(node.machine.provider, seconds=self._times.notice_every)
        while not rental.taken_away:
            with suppress(TransportError):  # the link broke; whether the machine is gone others find out
                heard = await transport.run(command)
                if notice := heard.output.decode(errors="replace").strip():
                    self._note_taken_away(rental, node, notice)
                    if rental.runner is not None:
                        rental.runner.stop_all()
            await anyio.sleep(self._times.notice_every)

    def note_released(self, rental: Rental) -> None:
        """Remember how long machines were held that are given back because they are not needed any more."""
        if rental.taken_away or rental.is_lost:
            return
        for node in rental.by_rank:
            self._plan.observe(node.offering, Outcome.RELEASED, self._clock.monotonic() - node.since)

    def _note_taken_away(self, rental: Rental, node: Node, why: str) -> None:
        """Remember that a machine is taken away: its job gets another one elsewhere, for there it would soon go again."""
        if rental.taken_away:
            return
        rental.taken_away = why
        rental.tell(f"{node.machine.console_id} is taken away by {node.machine.provider}: {' '.join(why.split())}\n")
        held = self._clock.monotonic() - node.since
        self._plan.observe(node.offering, Outcome.PREEMPTED, held)
        block = block_after(node.offering, FailureKind.CAPACITY, Scope.REGION, self._clock.now())
        self._taken_away |= dict.fromkeys(rental.heirs or {rental.user[0]}, block)
        self._give_up(rental)
