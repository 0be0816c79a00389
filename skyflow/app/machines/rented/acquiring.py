"""From wanting a machine to being let in: asked for as planned, and while it is not to be had, as planned anew."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

import anyio

from skyflow.app.machines.live_plan import RENTED, LivePlan
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.asking import Asking
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.pacing import Pacing
from skyflow.app.machines.rented.rental import Inquiry, Makes, Node, Rental, Times, described, host_of, problem_with
from skyflow.app.machines.rented.watch import Watch
from skyflow.errors import PlanningError, SkyflowError
from skyflow.model.availability import Outcome
from skyflow.model.blocks import BLOCKING, Block, block_after
from skyflow.model.machines import FailureKind, MachineRecord, Scope
from skyflow.model.pace import Pace
from skyflow.model.placement import Placement
from skyflow.model.recovery import RecoveryStrategy
from skyflow.model.units import format_duration
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError
from skyflow.ports.transport import Transport, TransportError
from skyflow.runners.one_error import one_error
from skyflow.runners.places import Attempt, MovedError

__all__ = ["Acquiring"]

_SILENT = "NeverLetIn"
"""Our own code for a machine that runs, and does not let us in."""
_ASKED_AGAIN = 30
"""So often the machine that was taken away is asked for while it is waited for, but for the limits below."""
_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class Acquiring:
    """Has machines for attempts, each of which can be logged in to then."""

    def __init__(
        self,
        *,
        rentals: Mapping[Attempt, Rental],
        plan: LivePlan,
        asking: Asking,
        keys: MachineKeys,
        makes: Makes,
        calls: CloudCalls,
        watch: Watch,
        pacing: Pacing,
        clock: Clock,
        times: Times,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            rentals: the machines that attempts have or wait for, as they change.
            plan: says what to rent for a job.
            asking: has machines made.
            keys: the keys of machines.
            makes: how machines are reached.
            calls: asks the clouds.
            watch: says whether a machine is gone before it lets us in, and where not to ask.
            pacing: which machine is next for a job that recovers by the deadline.
            clock: the time.
            times: how long to wait for what.
        """
        self._rentals = rentals
        self._plan = plan
        self._asking = asking
        self._keys = keys
        self._makes = makes
        self._calls = calls
        self._watch = watch
        self._pacing = pacing
        self._clock = clock
        self._times = times

    async def rent(self, rental: Rental) -> None:
        """Ask for the machine that a job is planned on; while it is not to be had, for that of the next best plan.

        Raises:
            MovedError: by that, the job runs elsewhere than on a rented machine.
            TransportError: there is none to be had.
        """
        tried: list[str] = []
        silent = 0
        block = self._watch.block_for(rental.user[0])
        pace = self._pacing.pace(rental.user[0])
        if pace is not None:
            if await self._keep_pace(rental, pace):
                return None
        elif block is not None and await self._replace(rental, block):
            return None
        while True:
            placement = self._plan.placement(rental.user[0])
            if self._plan.place_of(rental.user[0]) != RENTED:
                raise MovedError(f"{'; '.join(tried)}; planned anew on {placement.offering.place.name}")
            rental.tell(f"Starting {described(placement)} ...\n")
            try:
                await self._asking.ask(rental, placement.offering)
                return await self._let_in(rental)
            except MovedError:
                raise
            except CloudError as error:
                tried.append(problem_with(placement, error))
                silent += error.code == _SILENT
                if error.kind not in BLOCKING or silent >= self._times.most_silent:
                    raise TransportError("; ".join(tried)) from error
                rental.tell(f"{tried[-1]}\n")
                await self._look_elsewhere(rental, placement, error, tried)
            except SkyflowError as error:
                raise TransportError(problem_with(placement, error)) from error

    async def _replace(self, rental: Rental, block: Block) -> bool:
        """After a machine was taken away, have the same again if that is planned; tell whether it is there.

        If not, what is left of the run is planned anew without it.

        Raises:
            TransportError: it cannot be had, now or later.
        """
        placement = self._plan.placement(rental.user[0])
        recovery, is_rented = placement.recovery, self._plan.place_of(rental.user[0]) == RENTED
        if recovery is not None and recovery.strategy is RecoveryStrategy.WAIT and is_rented:
            seconds = recovery.wait_seconds
            rental.tell(f"Waiting up to {format_duration(seconds)} for another {described(placement)}\n")
            if await self._have_again(rental, placement, seconds):
                return True
            rental.tell(f"There is none again after {format_duration(seconds)}\n")
        with suppress(PlanningError):  # there is no other place: then the same again
            placed = await self._plan.avoid(rental.user[0], block, why="a machine was taken away")
            rental.tell(f"Planned anew: {described(placed)}\n")
        return False

    async def _keep_pace(self, rental: Rental, pace: Pace) -> bool:
        """Have a spot machine if one comes while there is time to wait for it; tell whether it is there.

        If not, the job is placed on the same machine on demand.

        Raises:
            TransportError: a spot machine cannot be had, now or later.
        """
        job, patience = rental.user[0], await self._pacing.patience(rental.user[0], pace)
        if patience is not None:
            placement = await self._plan.move(job, pace.spot, why="there is time to try spot machines")
            if why := self._pacing.why_gone_on(job):
                rental.tell(f"{why}\n")
            wait = f"for up to {format_duration(patience)}" if patience else "once"
            rental.tell(f"Asking {wait} for {described(placement)}, as the deadline allows\n")
            if await self._have_again(rental, placement, patience):
                return True
        placement = await self._plan.move(job, pace.on_demand, why="the deadline leaves no time to wait")
        rental.tell(f"To keep the deadline, it goes on on demand: {described(placement)}\n")
        return False

    async def _have_again(self, rental: Rental, placement: Placement, seconds: float) -> bool:
        """Ask for the same again and again, for so many seconds; tell whether it is there, or not wanted any more."""
        end = self._clock.monotonic() + seconds
        pause = min(max(seconds / _ASKED_AGAIN, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
        while rental.is_wanted:
            try:
                await self._asking.ask(rental, placement.offering)
                await self._let_in(rental)
            except MovedError:
                raise
            except SkyflowError as error:
                if not isinstance(error, CloudError) or error.kind not in BLOCKING:
                    raise TransportError(problem_with(placement, error)) from error
            else:
                return True
            if self._clock.monotonic() + pause > end:
                return False
            with anyio.move_on_after(pause):
                await rental.released.wait()
        return True

    async def find(self, rental: Rental, records: Sequence[MachineRecord]) -> None:
        """Find the machines that an earlier driver has asked for.

        Raises:
            MovedError: one of them is not there.
        """
        with one_error():
            async with anyio.create_task_group() as tasks:
                for record in records:
                    tasks.start_soon(self._find, rental, record)
        if len(rental.nodes) < len(records):
            raise MovedError("the machine of this attempt is gone")
        try:
            await self._let_in(rental)
        except CloudError as error:
            raise MovedError(error.message) from error

    async def _find(self, rental: Rental, record: MachineRecord) -> None:
        try:
            fleet = await self._calls.fleet(record.offering.provider)
            machine = await self._calls.blocking(partial(fleet.resume, record, is_wanted=lambda: rental.is_wanted))
        except SkyflowError as error:
            raise MovedError(f"the machine of this attempt cannot be found: {error}") from error
        if machine is not None:
            age = self._clock.now() - (record.created_at or record.intended_at)
            since = self._clock.monotonic() - age.total_seconds()
            offering = record.offering if rental.offering is None else rental.offering.machine(record.node)
            rental.nodes[record.node] = Node(offering, machine, since)

    async def _let_in(self, rental: Rental) -> None:
        """Wait until all machines let us in; where one does not within its time, all are given back.

        Raises:
            CloudError: one does not.
            MovedError: one is gone.
        """
        try:
            with rental.booting, one_error():
                async with anyio.create_task_group() as tasks:
                    for node in rental.by_rank:
                        tasks.start_soon(self._open, rental, node)
        except MovedError:
            raise
        except TransportError as error:
            await self._calls.give_back_all(rental)
            raise CloudError(
                str(error),
                kind=FailureKind.UNUSABLE,  # most often its network is at fault, or its image
                code=_SILENT,
                scope=Scope.ZONE,
                hint="is SSH out of here and into there allowed, and does the image run cloud-init?",
            ) from error

    async def _open(self, rental: Rental, node: Node) -> None:
        """Wait until a machine lets us in."""
        host = await self._calls.blocking(partial(host_of, node.machine, self._keys))
        node.transport = self._makes.transport(host)
        seconds = None
        try:
            await self._knock(node.transport, rental, node, self._watch.finding_out(rental, node, every=5.0))
            seconds = None if node.asked_at is None else self._clock.monotonic() - node.asked_at
        finally:
            if node.asked_at is not None:
                self._plan.observe(node.offering, Outcome.PROVISIONED, seconds)

    async def _knock(self, transport: Transport, rental: Rental, node: Node, find_out: Inquiry) -> None:
        """Wait until a machine lets us in: at first nobody listens, then nobody knows us, or shows another host key.

        Raises:
            MovedError: it is gone.
            TransportError: it takes too long.
        """
        pause, begun = self._times.first_knock, self._clock.monotonic()
        while True:
            try:
                await transport.run(["true"])
            except TransportError as error:
                if self._clock.monotonic() - begun >= self._times.boot_within:
                    within = f"{node.machine.console_id} did not let us in within {self._times.boot_within:.0f} s"
                    raise TransportError(f"{within}: {error}") from error
                await transport.aclose()
                if (gone := await find_out()) is not None:
                    raise MovedError(gone) from None
                await anyio.sleep(pause)
                pause = min(1.5 * pause, self._times.longest_knock)
            else:
                rental.tell(f"{transport.name} at {node.machine.address} lets us in\n")
                return

    async def _look_elsewhere(self, rental: Rental, placement: Placement, error: CloudError, tried: list[str]) -> None:
        """Have what is left of the run planned anew, without what is not to be had.

        Raises:
            TransportError: enough was tried, or there is no other plan.
        """
        offering = rental.refused or placement.offering.machine(0)
        if error.kind not in {FailureKind.UNUSABLE, FailureKind.NO_IMAGE}:  # they say nothing about the machines there
            self._plan.observe(offering, Outcome.CAPACITY_ERROR)
        if len(tried) >= self._times.most_tries:
            raise TransportError(f"no machine is to be had in {len(tried)} places: {'; '.join(tried)}")
        image = self._plan.requirements(rental.user[0]).image
        block = block_after(offering, error.kind, error.scope, self._clock.now(), image=image)
        begun = self._clock.monotonic()
        try:
            waiting = [key for (key, _), other in self._rentals.items() if not other.nodes]
            placed = await self._plan.avoid(rental.user[0], block, why=tried[-1], waiting=waiting)
        except PlanningError as problem:
            raise TransportError(f"{'; '.join(tried)}; and there is no other plan: {problem}") from problem
        rental.tell(f"Planned anew in {self._clock.monotonic() - begun:.2f} s: {described(placed)}\n")
        if self._plan.is_late:
            rental.tell("The deadline cannot be kept any more; the run goes on without it\n")
