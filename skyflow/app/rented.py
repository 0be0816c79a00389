"""Machines that are rented for an attempt each: had when it begins, given back when it ends, found again after a crash.

One task for each machine sees it through its whole life, so that whatever happens to the run, the machine is given back on
the way out; and a process that dies leaves a line in the journal, by which the next driver, or the sweeper, finds it.
"""

import math
import shutil
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from skyflow.app.live_plan import RENTED, LivePlan
from skyflow.app.machine_keys import MachineKeys
from skyflow.app.renting import open_ports
from skyflow.errors import PlanningError, SkyflowError
from skyflow.model.availability import Outcome
from skyflow.model.blocks import BLOCKING, Block, block_after
from skyflow.model.hosts import KeepAlive, Link, SshHost
from skyflow.model.layout import RunFolder
from skyflow.model.machines import (
    FailureKind,
    Intent,
    Lifetime,
    Machine,
    MachineRecord,
    MachineRequest,
    MachineState,
    Scope,
)
from skyflow.model.placement import Placement
from skyflow.model.resources import LOCAL, Market
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError, MachineJournal
from skyflow.ports.transport import Transport, TransportError
from skyflow.provisioners.boot import LOGIN_USER, stay_command
from skyflow.provisioners.fleet import Fleet
from skyflow.provisioners.notices import NOTICE_SECONDS, notice_command
from skyflow.runners.places import Attempt, MovedError
from skyflow.runners.remote import RemoteRunner

__all__ = ["Inquiry", "Makes", "RentedMachines", "Times"]

Inquiry = Callable[[], Awaitable[str | None]]
"""Says why a machine is gone for good, or None while it may come back."""

_T = TypeVar("_T")
_MOST_THREADS = 256
"""Calls to clouds block, each in a thread of its own; a machine uses one while it starts and one while it ends."""
_SILENT = "NeverLetIn"
"""Our own code for a machine that runs, and does not let us in."""
_MOST_SECONDS = 7 * 86_400
"""No machine lives longer than a week."""
_DISK_GIB = 64
"""Unless a job says otherwise: room for the image, drivers and some packages."""
_GONE = frozenset({MachineState.STOPPING, MachineState.STOPPED, MachineState.FAILED, MachineState.GONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long to wait for what, in seconds."""

    boot_within: float = 600.0
    """From when a machine runs until it lets us in."""
    first_knock: float = 0.1
    longest_knock: float = 2.0
    silence: float = 900.0
    """After so long without its driver a machine ends itself."""
    find_out_every: float = 2.0
    notice_every: float = NOTICE_SECONDS
    most_tries: int = 8
    """In so many places a machine is asked for, for one attempt."""
    most_silent: int = 3
    """So many machines may not let us in, for one attempt: after that it is hardly theirs, and each of them costs money."""

    @property
    def lifetime(self) -> Lifetime:
        """When a machine ends itself."""
        return Lifetime(silence_seconds=math.ceil(self.silence), at_most_seconds=_MOST_SECONDS)

    @property
    def renew_every(self) -> float:
        """How often it is told to stay: three times may fail."""
        return self.silence / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Makes:
    """What rented machines are used by: `fleet` of a cloud by its name, `transport` to a machine, `runner` on one.

    `sweep` removes what earlier runs have left, given the unfinished records of these.
    """

    fleet: Callable[[str], Fleet]
    transport: Callable[[SshHost], Transport]
    runner: Callable[[Transport, Inquiry], RemoteRunner]
    sweep: Callable[[Sequence[MachineRecord]], object]


@dataclass(slots=True)
class _Rental:
    """One machine, from when it is wanted until it is gone."""

    tell: Callable[[str], None]
    is_wanted: bool = True
    booting: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    settled: anyio.Event = field(default_factory=anyio.Event)
    """It can be used, or `problem` says why it cannot."""
    released: anyio.Event = field(default_factory=anyio.Event)
    over: anyio.Event = field(default_factory=anyio.Event)
    machine: Machine | None = None
    transport: Transport | None = None
    """How it is reached, from when it is knocked at."""
    runner: RemoteRunner | None = None
    problem: TransportError | None = None
    since: float = 0.0
    """When it was had."""
    taken_away: str = ""
    """What its cloud said when it took the machine away."""

    def let_go(self) -> None:
        """Give it up, wherever it is in its life."""
        self.is_wanted = False
        self.booting.cancel()
        self.released.set()


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
        times: Times = Times(),
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
        self._rentals: dict[Attempt, _Rental] = {}
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
        for rental in self._rentals.values():
            rental.let_go()
        return await self._stack.__aexit__(kind, error, trace)

    async def take(self, which: Attempt, tell: Callable[[str], None]) -> RemoteRunner:
        """Rent a machine for an attempt, and wait until it can be used."""
        rental = self._rentals.get(which)
        if rental is None:
            rental = self._rentals[which] = _Rental(tell)
            self._tasks.start_soon(self._see_through, which, rental, None)
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
        """Do nothing: a machine that is lost goes with its attempt."""

    def is_taken_away(self, which: Attempt) -> bool:
        """Tell whether the cloud takes the machine of an attempt away."""
        return which in self._rentals and bool(self._rentals[which].taken_away)

    async def release(self, which: Attempt) -> None:
        """Give the machine of an attempt back, and wait until it is gone."""
        rental = self._rentals.get(which)
        if rental is not None:
            rental.let_go()
            await rental.over.wait()
            del self._rentals[which]
        shutil.rmtree(self._folder.temp(*which), ignore_errors=True)

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Find the machines of an earlier driver by the journal; those of attempts that are over are given back."""
        kept: set[Attempt] = set()
        others: list[MachineRecord] = []
        for record in await self._blocking(partial(self._journal.records, unfinished_only=True)):
            which = (record.job, record.attempt)
            if record.run != self._run:
                others.append(record)
            elif which in attempts and which not in kept and record.intent is not Intent.RELEASED:
                kept.add(which)
                rental = self._rentals[which] = _Rental(lambda _: None)
                self._tasks.start_soon(self._see_through, which, rental, record)
            else:
                self._tasks.start_soon(self._discard, record)
        if others:
            self._tasks.start_soon(self._sweep, others)
        return frozenset(kept)

    # ------------------------------------------------------------------------------------------ the life of a machine

    async def _see_through(self, which: Attempt, rental: _Rental, record: MachineRecord | None) -> None:
        """Have a machine, let it be used, and give it back."""
        try:
            if record is None:
                await self._rent(which, rental)
            else:
                await self._find(rental, record)
            if rental.machine is not None and rental.transport is not None and rental.is_wanted:
                await self._serve(which, rental, rental.machine, rental.transport, is_found=record is not None)
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

    async def _rent(self, which: Attempt, rental: _Rental) -> None:
        """Ask for the machine that a job is planned on; while it is not to be had, for that of the next best plan.

        Raises:
            MovedError: by that, the job runs elsewhere than on a rented machine.
            TransportError: there is none to be had.
        """
        tried: list[str] = []
        silent = 0
        if (block := self._taken_away.pop(which[0], None)) is not None:
            with suppress(PlanningError):  # there is no other place: then the same again
                placed = await self._plan.avoid(which[0], block, why="a machine was taken away")
                rental.tell(f"Planned anew: {_described(placed)}\n")
        while True:
            placement = self._plan.placement(which[0])
            if self._plan.place_of(which[0]) != RENTED:
                raise MovedError(f"{'; '.join(tried)}; planned anew on {placement.offering.place.name}")
            rental.tell(f"Starting {_described(placement)} ...\n")
            try:
                await self._acquire(which, rental, placement)
                return await self._let_in(rental)
            except CloudError as error:
                tried.append(_problem(placement, error))
                silent += error.code == _SILENT
                if error.kind not in BLOCKING or silent >= self._times.most_silent:
                    raise TransportError("; ".join(tried)) from error
                rental.tell(f"{tried[-1]}\n")
                await self._look_elsewhere(which, rental, placement, error, tried)
            except SkyflowError as error:
                raise TransportError(_problem(placement, error)) from error

    async def _acquire(self, which: Attempt, rental: _Rental, placement: Placement) -> None:
        started = self._clock.monotonic()
        fleet = await self._fleet(placement.offering.provider)
        request = await self._blocking(partial(self._request, which, placement))
        machine = await self._blocking(partial(fleet.acquire, request, is_wanted=lambda: rental.is_wanted))
        rental.machine, rental.since = machine, self._clock.monotonic()
        seconds = rental.since - started
        self._plan.observe(placement.offering, Outcome.PROVISIONED, seconds)
        rental.tell(f"{machine.id} in {machine.zone or machine.region} runs after {seconds:.1f} s\n")

    async def _let_in(self, rental: _Rental) -> None:
        """Wait until a machine lets us in; one that does not within its time is given back.

        Raises:
            CloudError: it does not.
        """
        machine = rental.machine
        if machine is None:
            return
        transport = rental.transport = self._makes.transport(await self._blocking(partial(self._host, machine)))
        try:
            with rental.booting:
                await self._knock(transport, rental, machine)
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

    async def _look_elsewhere(
        self, which: Attempt, rental: _Rental, placement: Placement, error: CloudError, tried: list[str]
    ) -> None:
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
            placed = await self._plan.avoid(which[0], block, why=tried[-1], waiting=waiting)
        except PlanningError as problem:
            raise TransportError(f"{'; '.join(tried)}; and there is no other plan: {problem}") from problem
        rental.tell(f"Planned anew in {self._clock.monotonic() - begun:.2f} s: {_described(placed)}\n")
        if self._plan.is_late:
            rental.tell("The deadline cannot be kept any more; the run goes on without it\n")

    async def _find(self, rental: _Rental, record: MachineRecord) -> None:
        """Find a machine that an earlier driver has asked for.

        Raises:
            MovedError: it is not there.
        """
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

    async def _serve(
        self, which: Attempt, rental: _Rental, machine: Machine, transport: Transport, *, is_found: bool
    ) -> None:
        """Let a machine be used from when it has booted until its attempt is over."""
        runner = self._makes.runner(transport, self._finding_out(which, rental, machine))
        async with runner:
            if is_found:
                await runner.recover([which])
            rental.runner = runner
            rental.settled.set()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._renew, transport)
                if machine.market is Market.SPOT:
                    tasks.start_soon(self._listen, which, rental, transport, machine)
                await rental.released.wait()
                tasks.cancel_scope.cancel()

    async def _knock(self, transport: Transport, rental: _Rental, machine: Machine) -> None:
        """Wait until a machine lets us in: at first nobody listens, then nobody knows us, or shows another host key.

        Raises:
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

    async def _listen(self, which: Attempt, rental: _Rental, transport: Transport, machine: Machine) -> None:
        """Wait for the notice that a machine is about to be taken away, and stop what runs on it."""
        command = notice_command(machine.provider, seconds=self._times.notice_every)
        while not rental.taken_away:
            with suppress(TransportError):  # the link broke; whether the machine is gone others find out
                heard = await transport.run(command)
                if notice := heard.output.decode(errors="replace").strip():
                    self._note_taken_away(which, rental, machine, notice)
                    if rental.runner is not None:
                        rental.runner.stop_all()
            await anyio.sleep(self._times.notice_every)

    def _note_taken_away(self, which: Attempt, rental: _Rental, machine: Machine, why: str) -> None:
        """Remember that a machine is taken away: its job gets another one elsewhere, for there it would soon go again."""
        if rental.taken_away:
            return
        rental.taken_away = why
        placement = self._plan.placement(which[0])
        rental.tell(f"{machine.id} is taken away by {machine.provider}: {' '.join(why.split())}\n")
        held = self._clock.monotonic() - rental.since
        self._plan.observe(placement.offering, Outcome.PREEMPTED, held)
        now = self._clock.now()
        self._taken_away[which[0]] = block_after(placement.offering, FailureKind.CAPACITY, Scope.REGION, now)

    def _finding_out(self, which: Attempt, rental: _Rental, machine: Machine) -> Inquiry:
        asked = -math.inf

        async def find_out() -> str | None:
            nonlocal asked
            if self._clock.monotonic() - asked < self._times.find_out_every:
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
                self._note_taken_away(which, rental, machine, f"it is gone{detail}")
            return f"{machine.id} is gone{detail}"

        return find_out

    async def _give_back(self, rental: _Rental, machine: Machine) -> None:
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

    def _request(self, which: Attempt, placement: Placement) -> MachineRequest:
        asked = self._plan.requirements(which[0])
        request = MachineRequest(
            offering=placement.offering,
            owner=self._journal.owner(),
            run=self._run,
            job=which[0],
            attempt=which[1],
            public_key=self._keys.ours().public,
            lifetime=self._times.lifetime,
            image=asked.image,
            ports=tuple(open_ports(asked.ports)),
            disk_gib=_DISK_GIB if asked.disk_gib is None else math.ceil(asked.disk_gib.minimum),
        )
        return replace(request, host_key=self._keys.of_host(request.name).path.read_text(encoding="utf-8"))

    def _host(self, machine: Machine) -> SshHost:
        return SshHost(
            name=f"{machine.instance_type}-{machine.name[-6:]}",
            address=machine.address or "",
            user=LOGIN_USER,
            host_keys=(self._keys.of_host(machine.name).public,),
            identity=str(self._keys.ours().path),
            link=Link.ASYNCSSH,
            keep_alive=KeepAlive(seconds=5.0, most_missed=3),
            connect_seconds=10.0,
        )

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


def _described(placement: Placement) -> str:
    offering = placement.offering
    if offering.provider == LOCAL:
        return "this machine"
    market = "" if offering.market is Market.ON_DEMAND else f" ({offering.market})"
    return f"{offering.instance_type}{market} in {offering.provider}/{offering.place.name}"


def _problem(placement: Placement, error: SkyflowError) -> str:
    notes = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
    hint = f"; {error.hint}" if error.hint else ""
    return f"{_described(placement)} is not to be had: {error}{hint}{notes}"
