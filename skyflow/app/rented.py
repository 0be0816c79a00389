"""Machines that are rented: had when an attempt begins, given back when it ends, found again after a crash.

A machine that another job is planned to take over is kept for that, but not for long, and not once nobody needs it. One task for each machine sees it through its whole life, so that whatever happens to the run, the machine is given back on
the way out; and a process that dies leaves a line in the journal, by which the next driver, or the sweeper, finds it.
"""

import math
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from skyflow.app.live_plan import RENTED, LivePlan
from skyflow.app.machine_keys import MachineKeys
from skyflow.app.rental import Inquiry, Makes, Rental, Times, described, host_of, problem_with, request_for
from skyflow.errors import PlanningError, SkyflowError
from skyflow.model.availability import Outcome
from skyflow.model.blocks import BLOCKING, Block, block_after
from skyflow.model.layout import RunFolder
from skyflow.model.machines import FailureKind, Intent, Machine, MachineRecord, MachineState, Scope
from skyflow.model.placement import Placement
from skyflow.model.resources import Market
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError, MachineJournal
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import stay_command
from skyflow.provisioners.fleet import Fleet
from skyflow.provisioners.notices import notice_command
from skyflow.runners.places import Attempt, MovedError
from skyflow.runners.remote import RemoteRunner

__all__ = ["RentedMachines"]

_T = TypeVar("_T")
_MOST_THREADS = 256
"""Calls to clouds block, each in a thread of its own; a machine uses one while it starts and one while it ends."""
_SILENT = "NeverLetIn"
"""Our own code for a machine that runs, and does not let us in."""


_GONE = frozenset({MachineState.STOPPING, MachineState.STOPPED, MachineState.FAILED, MachineState.GONE})


class RentedMachines:
    """The place of all jobs on machines of clouds; see `skyflow.runners.places.Place`."""

    def __init__(
        self,
        *,
        run: str,
        folder: RunFolder,
        plan: LivePlan,
        journal: MachineJournal,
        keys: MachineKeys,
        makes: Makes,
        clock: Clock,
        times: Times,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            run: which run the machines are for.
            folder: its folder.
            plan: says what to rent for a job.
            journal: where machines are written down.
            keys: the keys of machines.
            makes: what they are used by.
            clock: the time.
            times: how long to wait for what.
        """
        self._run = run
        self._folder = folder
        self._plan = plan
        self._journal = journal
        self._keys = keys
        self._makes = makes
        self._clock = clock
        self._times = times
        self._fleets: dict[str, Fleet] = {}
        self._taken_away: dict[str, Block] = {}
        self._rentals: dict[Attempt, Rental] = {}
        self._kept: list[Rental] = []
        self._threads = anyio.CapacityLimiter(_MOST_THREADS)
        self._opening = anyio.Lock()
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup

    async def __aenter__(self) -> Self:
        """Open the task group in which machines are looked after."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Give every machine back that is left, and wait until they are gone."""
        for rental in (*self._rentals.values(), *self._kept):
            rental.let_go()
        return await self._stack.__aexit__(kind, error, trace)

    async def take(self, which: Attempt, tell: Callable[[str], None]) -> RemoteRunner:
        """Take a machine over that was kept for a job, or rent one, and wait until it can be used."""
        rental = self._rentals.get(which) or await self._take_over(which, tell)
        if rental is None:
            rental = self._rentals[which] = Rental(which, tell)
            self._tasks.start_soon(self._see_through, rental, None)
        rental.tell = tell
        try:
            await rental.settled.wait()
        except anyio.get_cancelled_exc_class():
            rental.let_go()
            raise
        if rental.runner is None:
            raise rental.problem or TransportError("the machine was given up")
        return rental.runner

    def taken(self, which: Attempt) -> RemoteRunner | None:
        """Return what runs the steps of an attempt."""
        rental = self._rentals.get(which)
        return None if rental is None else rental.runner

    def heard(self, which: Attempt, *, is_lost: bool) -> None:
        """Remember whether a machine answers: one that does not goes with its attempt."""
        if which in self._rentals:
            self._rentals[which].is_lost = is_lost

    def is_taken_away(self, which: Attempt) -> bool:
        """Tell whether the cloud takes the machine of an attempt away."""
        return which in self._rentals and bool(self._rentals[which].taken_away)

    async def release(self, which: Attempt) -> None:
        """Keep the machine of an attempt if another job will take it over; else give it back, and wait until it is gone."""
        rental = self._rentals.get(which)
        if rental is not None:
            if not await self._keep(rental):
                rental.let_go()
                await rental.over.wait()
            del self._rentals[which]
        shutil.rmtree(self._folder.temp(*which), ignore_errors=True)

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Find the machines of an earlier driver by the journal; what no attempt has, and no job will, is given back."""
        kept: set[Attempt] = set()
        idle: list[MachineRecord] = []
        others: list[MachineRecord] = []
        for record in await self._blocking(partial(self._journal.records, unfinished_only=True)):
            which = record.user
            if record.run != self._run:
                others.append(record)
            elif which in attempts and which not in kept and record.intent is not Intent.RELEASED:
                kept.add(which)
                rental = self._rentals[which] = Rental(which, lambda _: None)
                self._tasks.start_soon(self._see_through, rental, record)
            else:
                idle.append(record)
        for record in idle:
            rental = Rental(record.user, lambda _: None, offering=record.offering)
            if record.intent is Intent.CREATED and (heirs := self._heirs(rental)):
                self._keep_for(rental, heirs)
                self._tasks.start_soon(self._see_through, rental, record)
            else:
                self._tasks.start_soon(self._discard, record)
        if others:
            self._tasks.start_soon(self._sweep, others)
        return frozenset(kept)

    # ------------------------------------------------------------------------------------------- from job to job

    def _heirs(self, rental: Rental) -> frozenset[str]:
        """Return the jobs that may take over a machine once its own has ended, and have none yet."""
        if rental.offering is None or not self._plan.has_ended(rental.user[0]):
            return frozenset()
        return self._without_machine(self._plan.heirs(rental.user[0], rental.offering))

    def _without_machine(self, jobs: Collection[str]) -> frozenset[str]:
        return frozenset(jobs) - {self._plan.placement(key).job for key, _ in self._rentals}

    async def _keep(self, rental: Rental) -> bool:
        """Keep a machine for a job to come, cleared of the one that has ended; tell whether it is worth that and fit."""
        runner = rental.runner
        if runner is None or rental.is_lost or rental.taken_away or not self._times.idle or not self._heirs(rental):
            return False
        with anyio.move_on_after(self._times.clean_up_within), suppress(TransportError):
            await runner.release(*rental.user)
            await runner.check(self._times.clean_up_within)
            heirs = self._heirs(rental)
            if heirs and rental.is_wanted and not rental.taken_away:
                self._keep_for(rental, heirs)
                return True
        return False

    def _keep_for(self, rental: Rental, heirs: frozenset[str]) -> None:
        rental.heirs = heirs
        rental.wait = anyio.move_on_after(self._times.idle)
        self._kept.append(rental)
        self._tasks.start_soon(self._wait_for_heir, rental, rental.wait)
        rental.handed_back.set()

    async def _wait_for_heir(self, rental: Rental, patience: anyio.CancelScope) -> None:
        """Give a machine back that nobody needs any more, or nobody has taken for too long."""
        with patience:
            while rental.heirs:
                moved = self._plan.moved
                rental.heirs = self._without_machine([job for job in rental.heirs if self._is_meant(job, rental)])
                if rental.heirs:
                    await moved.wait()
        if rental in self._kept:
            self._kept.remove(rental)
            rental.let_go()

    def _is_meant(self, job: str, rental: Rental) -> bool:
        return rental.offering is not None and self._plan.is_to_run(job, rental.offering)

    async def _take_over(self, which: Attempt, tell: Callable[[str], None]) -> Rental | None:
        """Return a machine that is kept for a job, or about to be, if it is still there and the job planned on it."""
        job = self._plan.placement(which[0]).job
        for rental in (*self._kept, *self._rentals.values()):
            if job not in (rental.heirs if rental in self._kept else self._heirs(rental)):
                continue
            await rental.handed_back.wait()
            if rental not in self._kept or not self._is_meant(job, rental):
                continue
            self._kept.remove(rental)
            if rental.wait is not None:
                rental.wait.cancel()
            try:
                await self._hand_on(rental, which, tell)
            except TransportError as error:
                tell(f"The machine of {rental.user[0]} cannot be taken over: {error}\n")
            else:
                return rental
            finally:
                if which not in self._rentals:
                    rental.let_go()
        return None

    async def _hand_on(self, rental: Rental, which: Attempt, tell: Callable[[str], None]) -> None:
        """Give a machine that was kept to another attempt.

        Raises:
            TransportError: it does not answer.
        """
        await rental.settled.wait()
        if rental.runner is None or rental.machine is None:
            raise rental.problem or TransportError("it was given up")
        await rental.runner.check(self._times.clean_up_within)
        await self._blocking(partial(self._journal.handed_on, rental.machine.name, *which))
        tell(f"{rental.machine.id} is taken over from {rental.user[0]}\n")
        rental.user, rental.tell, rental.heirs, rental.handed_back = which, tell, frozenset(), anyio.Event()
        self._rentals[which] = rental

    # ------------------------------------------------------------------------------------------ the life of a machine

    async def _see_through(self, rental: Rental, record: MachineRecord | None) -> None:
        """Have a machine, let it be used, and give it back."""
        try:
            if record is None:
                await self._rent(rental)
            else:
                await self._find(rental, record)
            if rental.machine is not None and rental.transport is not None and rental.is_wanted:
                await self._serve(rental, rental.machine, rental.transport, is_found=record is not None)
        except TransportError as error:
            rental.problem = error
        finally:
            rental.settled.set()
            with anyio.CancelScope(shield=True):
                if rental.transport is not None:
                    await rental.transport.aclose()
                if rental.machine is not None:
                    await self._give_back(rental, rental.machine)
                rental.over.set()

    async def _rent(self, rental: Rental) -> None:
        """Ask for the machine that a job is planned on; while it is not to be had, for that of the next best plan.

        Raises:
            MovedError: by that, the job runs elsewhere than on a rented machine.
            TransportError: there is none to be had.
        """
        tried: list[str] = []
        silent = 0
        if (block := self._taken_away.pop(rental.user[0], None)) is not None:
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

    async def _acquire(self, rental: Rental, placement: Placement) -> None:
        started = self._clock.monotonic()
        fleet = await self._fleet(placement.offering.provider)
        rental.offering = placement.offering
        ask = partial(request_for, run=self._run, keys=self._keys, times=self._times)
        owner, asked = await self._blocking(self._journal.owner), self._plan.requirements(rental.user[0])
        request = await self._blocking(partial(ask, rental.user, placement, asked, owner=owner))
        machine = await self._blocking(partial(fleet.acquire, request, is_wanted=lambda: rental.is_wanted))
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
            await self._blocking(partial(host_of, machine, self._keys))
        )
        try:
            with rental.booting:
                await self._knock(transport, rental, machine, self._finding_out(rental, machine, every=5.0))
        except MovedError:
            raise
        except TransportError as error:
            await transport.aclose()
            await self._give_back(rental, machine)
            rental.machine = None
            raise CloudError(
                f"{machine.id} did not let us in within {self._times.boot_within:.0f} s: {error}",
                kind=FailureKind.UNUSABLE,  # most often its network is at fault, or its image
                code=_SILENT,
                scope=Scope.ZONE,
                hint="is SSH out of here and into there allowed, and does the image run cloud-init?",
            ) from error

    async def _look_elsewhere(self, rental: Rental, placement: Placement, error: CloudError, tried: list[str]) -> None:
        """Have what is left of the run planned anew, without what is not to be had.

        Raises:
            TransportError: enough was tried, or there is no other plan.
        """
        offering = placement.offering
        if error.kind is not FailureKind.UNUSABLE:  # that says nothing about the machines there
            self._plan.observe(offering, Outcome.CAPACITY_ERROR)
        if len(tried) >= self._times.most_tries:
            raise TransportError(f"no machine is to be had in {len(tried)} places: {'; '.join(tried)}")
        block = block_after(offering, error.kind, error.scope, self._clock.now())
        begun = self._clock.monotonic()
        try:
            waiting = [key for (key, _), other in self._rentals.items() if other.machine is None]
            placed = await self._plan.avoid(rental.user[0], block, why=tried[-1], waiting=waiting)
        except PlanningError as problem:
            raise TransportError(f"{'; '.join(tried)}; and there is no other plan: {problem}") from problem
        rental.tell(f"Planned anew in {self._clock.monotonic() - begun:.2f} s: {described(placed)}\n")
        if self._plan.is_late:
            rental.tell("The deadline cannot be kept any more; the run goes on without it\n")

    async def _find(self, rental: Rental, record: MachineRecord) -> None:
        """Find a machine that an earlier driver has asked for.

        Raises:
            MovedError: it is not there.
        """
        rental.offering = record.offering
        try:
            fleet = await self._fleet(record.offering.provider)
            rental.machine = await self._blocking(partial(fleet.resume, record, is_wanted=lambda: rental.is_wanted))
        except SkyflowError as error:
            raise MovedError(f"the machine of this attempt cannot be found: {error}") from error
        if rental.machine is None:
            raise MovedError("the machine of this attempt is gone")
        try:
            await self._let_in(rental)
        except CloudError as error:
            raise MovedError(error.message) from error

    async def _serve(self, rental: Rental, machine: Machine, transport: Transport, *, is_found: bool) -> None:
        """Let a machine be used from when it has booted until its attempt is over."""
        runner = self._makes.runner(transport, self._finding_out(rental, machine, every=2.0))
        async with runner:
            if is_found:
                await runner.recover([rental.user] if rental.user in self._rentals else [])
            rental.runner = runner
            rental.settled.set()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._renew, transport)
                if machine.market is Market.SPOT:
                    tasks.start_soon(self._listen, rental, transport, machine)
                await rental.released.wait()
                tasks.cancel_scope.cancel()

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

    async def _renew(self, transport: Transport) -> None:
        """Keep a machine from ending itself; while it cannot be reached, others find out whether it is lost."""
        stay = ["sh", "-c", stay_command(self._times.lifetime.silence_seconds)]
        while True:
            with suppress(TransportError):
                await transport.run(stay)
            await anyio.sleep(self._times.renew_every)

    async def _listen(self, rental: Rental, transport: Transport, machine: Machine) -> None:
        """Wait for the notice that a machine is about to be taken away, and stop what runs on it."""
        command = notice_command(machine.provider, seconds=self._times.notice_every)
        while not rental.taken_away:
            with suppress(TransportError):  # the link broke; whether the machine is gone others find out
                heard = await transport.run(command)
                if notice := heard.output.decode(errors="replace").strip():
                    self._note_taken_away(rental, machine, notice)
                    if rental.runner is not None:
                        rental.runner.stop_all()
            await anyio.sleep(self._times.notice_every)

    def _note_taken_away(self, rental: Rental, machine: Machine, why: str) -> None:
        """Remember that a machine is taken away: its job gets another one elsewhere, for there it would soon go again."""
        if rental.taken_away:
            return
        rental.taken_away = why
        offering = rental.offering or self._plan.placement(rental.user[0]).offering
        rental.tell(f"{machine.id} is taken away by {machine.provider}: {' '.join(why.split())}\n")
        held = self._clock.monotonic() - rental.since
        self._plan.observe(offering, Outcome.PREEMPTED, held)
        block = block_after(offering, FailureKind.CAPACITY, Scope.REGION, self._clock.now())
        self._taken_away |= dict.fromkeys(rental.heirs or {rental.user[0]}, block)
        if rental in self._kept:
            self._kept.remove(rental)
            rental.let_go()

    def _finding_out(self, rental: Rental, machine: Machine, *, every: float) -> Inquiry:
        """Return what asks the cloud about a machine, at most once in so many seconds."""
        asked = -math.inf

        async def find_out() -> str | None:
            nonlocal asked
            if self._clock.monotonic() - asked < every:
                return None
            asked = self._clock.monotonic()
            try:
                fleet = await self._fleet(machine.provider)
                now = await self._blocking(partial(fleet.look, machine))
            except CloudError:  # nobody knows, then; the link's own patience counts
                return None
            if now is not None and now.state not in _GONE:
                return None
            detail = "" if now is None else f", {now.state}{f': {now.detail}' if now.detail else ''}"
            if machine.market is Market.SPOT:
                self._note_taken_away(rental, machine, f"it is gone{detail}")
            return f"{machine.id} is gone{detail}"

        return find_out

    async def _give_back(self, rental: Rental, machine: Machine) -> None:
        try:
            fleet = await self._fleet(machine.provider)
            is_gone = await self._blocking(partial(fleet.release, machine))
        except SkyflowError as error:
            rental.tell(f"{machine.id} could not be removed: {error}; `skyflow gc` will try again\n")
        else:
            if is_gone:
                self._keys.forget_host(machine.name)

    async def _discard(self, record: MachineRecord) -> None:
        with anyio.CancelScope(shield=True), suppress(SkyflowError):  # else the sweeper will find it
            fleet = await self._fleet(record.offering.provider)
            if await self._blocking(partial(fleet.discard, record)):
                self._keys.forget_host(record.name)

    async def _sweep(self, records: Sequence[MachineRecord]) -> None:
        """Clear up after runs that nobody drives; what cannot be done now, `skyflow gc` tries again."""
        with suppress(SkyflowError):
            await self._blocking(partial(self._makes.sweep, records))

    # ------------------------------------------------------------------------------------------------------ its parts

    async def _fleet(self, provider: str) -> Fleet:
        """Return the machines of a cloud, whose SDK is imported when it is asked for first.

        Raises:
            UsageError: the SDK is not installed.
            CloudError: its configuration cannot be used.
        """
        async with self._opening:
            if provider not in self._fleets:
                self._fleets[provider] = await self._blocking(partial(self._makes.fleet, provider))
            return self._fleets[provider]

    async def _blocking(self, work: Callable[[], _T]) -> _T:
        return await anyio.to_thread.run_sync(work, limiter=self._threads)
