"""From wanting a machine to being let in: asked for as planned, and while it is not to be had, as planned anew."""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial

import anyio

from skyflow.app.live_plan import RENTED, LivePlan
from skyflow.app.machine_keys import MachineKeys
from skyflow.app.rented.calls import CloudCalls
from skyflow.app.rented.rental import Inquiry, Makes, Rental, Times, described, host_of, problem_with, request_for
from skyflow.app.rented.watch import Watch
from skyflow.errors import PlanningError, SkyflowError
from skyflow.model.availability import Outcome
from skyflow.model.blocks import BLOCKING, block_after
from skyflow.model.machines import FailureKind, Machine, MachineRecord, Scope
from skyflow.model.placement import Placement
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError, MachineJournal
from skyflow.ports.transport import Transport, TransportError
from skyflow.runners.places import Attempt, MovedError

__all__ = ["Acquiring"]

_SILENT = "NeverLetIn"
"""Our own code for a machine that runs, and does not let us in."""


class Acquiring:
    """Has machines for attempts, each of which can be logged in to then."""

    def __init__(
        self,
        *,
        run: str,
        rentals: Mapping[Attempt, Rental],
        plan: LivePlan,
        journal: MachineJournal,
        keys: MachineKeys,
        makes: Makes,
        calls: CloudCalls,
        watch: Watch,
        clock: Clock,
        times: Times,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            run: which run the machines are for.
            rentals: the machines that attempts have or wait for, as they change.
            plan: says what to rent for a job.
            journal: knows whose machines they are.
            keys: the keys of machines.
            makes: how machines are reached.
            calls: asks the clouds.
            watch: says whether a machine is gone before it lets us in, and where not to ask.
            clock: the time.
            times: how long to wait for what.
        """
        self._run = run
        self._rentals = rentals
        self._plan = plan
        self._journal = journal
        self._keys = keys
        self._makes = makes
        self._calls = calls
        self._watch = watch
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
        if (block := self._watch.block_for(rental.user[0])) is not None:
            with suppress(PlanningError):  # there is no other place: then the same again
                placed = await self._plan.avoid(rental.user[0], block, why="a machine was taken away")
                rental.tell(f"Planned anew: {described(placed)}\n")
        while True:
            placement = self._plan.placement(rental.user[0])
            if self._plan.place_of(rental.user[0]) != RENTED:
                raise MovedError(f"{'; '.join(tried)}; planned anew on {placement.offering.place.name}")
            rental.tell(f"Starting {described(placement)} ...\n")
            try:
                await self._acquire(rental, placement)
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

    async def find(self, rental: Rental, record: MachineRecord) -> None:
        """Find a machine that an earlier driver has asked for.

        Raises:
            MovedError: it is not there.
        """
        rental.offering = record.offering
        age = self._clock.now() - (record.created_at or record.intended_at)
        rental.since = self._clock.monotonic() - age.total_seconds()
        try:
            fleet = await self._calls.fleet(record.offering.provider)
            rental.machine = await self._calls.blocking(
                partial(fleet.resume, record, is_wanted=lambda: rental.is_wanted)
            )
        except SkyflowError as error:
            raise MovedError(f"the machine of this attempt cannot be found: {error}") from error
        if rental.machine is None:
            raise MovedError("the machine of this attempt is gone")
        try:
            await self._let_in(rental)
        except CloudError as error:
            raise MovedError(error.message) from error

    async def _acquire(self, rental: Rental, placement: Placement) -> None:
        started = self._clock.monotonic()
        fleet = await self._calls.fleet(placement.offering.provider)
        rental.offering = placement.offering
        ask = partial(request_for, run=self._run, keys=self._keys, times=self._times)
        owner, asked = await self._calls.blocking(self._journal.owner), self._plan.requirements(rental.user[0])
        request = await self._calls.blocking(partial(ask, rental.user, placement, asked, owner=owner))
        machine = await self._calls.blocking(partial(fleet.acquire, request, is_wanted=lambda: rental.is_wanted))
        rental.machine, rental.since = machine, self._clock.monotonic()
        seconds = rental.since - started
        self._plan.observe(placement.offering, Outcome.PROVISIONED, seconds)
        rental.tell(f"{machine.id} in {machine.zone or machine.region} runs after {seconds:.1f} s\n")

    async def _let_in(self, rental: Rental) -> None:
        """Wait until a machine lets us in; one that does not within its time is given back.

        Raises:
            CloudError: it does not.
            MovedError: it is gone.
        """
        machine = rental.machine
        if machine is None:
            return
        transport = rental.transport = self._makes.transport(
            await self._calls.blocking(partial(host_of, machine, self._keys))
        )
        try:
            with rental.booting:
                await self._knock(transport, rental, machine, self._watch.finding_out(rental, machine, every=5.0))
        except MovedError:
            raise
        except TransportError as error:
            await transport.aclose()
            await self._calls.give_back(machine, rental.tell)
            rental.machine = None
            raise CloudError(
                f"{machine.id} did not let us in within {self._times.boot_within:.0f} s: {error}",
                kind=FailureKind.UNUSABLE,  # most often its network is at fault, or its image
                code=_SILENT,
                scope=Scope.ZONE,
                hint="is SSH out of here and into there allowed, and does the image run cloud-init?",
            ) from error

    async def _knock(self, transport: Transport, rental: Rental, machine: Machine, find_out: Inquiry) -> None:
        """Wait until a machine lets us in: at first nobody listens, then nobody knows us, or shows another host key.

        Raises:
            MovedError: it is gone.
            TransportError: it takes too long.
        """
        pause, begun = self._times.first_knock, self._clock.monotonic()
        while True:
            try:
                await transport.run(["true"])
            except TransportError:
                if self._clock.monotonic() - begun >= self._times.boot_within:
                    raise
                await transport.aclose()
                if (gone := await find_out()) is not None:
                    raise MovedError(gone) from None
                await anyio.sleep(pause)
                pause = min(1.5 * pause, self._times.longest_knock)
            else:
                rental.tell(f"{transport.name} at {machine.address} lets us in\n")
                return

    async def _look_elsewhere(self, rental: Rental, placement: Placement, error: CloudError, tried: list[str]) -> None:
        """Have what is left of the run planned anew, without what is not to be had.

        Raises:
            TransportError: enough was tried, or there is no other plan.
        """
        offering = placement.offering
        if error.kind not in {FailureKind.UNUSABLE, FailureKind.NO_IMAGE}:  # they say nothing about the machines there
            self._plan.observe(offering, Outcome.CAPACITY_ERROR)
        if len(tried) >= self._times.most_tries:
            raise TransportError(f"no machine is to be had in {len(tried)} places: {'; '.join(tried)}")
        image = self._plan.requirements(rental.user[0]).image
        block = block_after(offering, error.kind, error.scope, self._clock.now(), image=image)
        begun = self._clock.monotonic()
        try:
            waiting = [key for (key, _), other in self._rentals.items() if other.machine is None]
            placed = await self._plan.avoid(rental.user[0], block, why=tried[-1], waiting=waiting)
        except PlanningError as problem:
            raise TransportError(f"{'; '.join(tried)}; and there is no other plan: {problem}") from problem
        rental.tell(f"Planned anew in {self._clock.monotonic() - begun:.2f} s: {described(placed)}\n")
        if self._plan.is_late:
            rental.tell("The deadline cannot be kept any more; the run goes on without it\n")
