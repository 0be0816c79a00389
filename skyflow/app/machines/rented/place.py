"""The machines that a run rents: had when an attempt begins, given back when it ends, found again after a crash.

One task for each machine sees it through its whole life (`life.py`): it is asked for (`acquiring.py`), used while it is
watched (`watch.py`), kept for another job where that is planned (`takeover.py`), and given back. A process that dies leaves
a line in the journal, by which the next driver, or the sweeper, finds it.
"""

import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import TaskGroup

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.acquiring import Acquiring
from skyflow.app.machines.rented.asking import Asking
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.keeping import Keeping
from skyflow.app.machines.rented.life import MachineLife
from skyflow.app.machines.rented.pacing import Pacing
from skyflow.app.machines.rented.rental import Makes, Rental, Times
from skyflow.app.machines.rented.takeover import Takeover
from skyflow.app.machines.rented.watch import Watch
from skyflow.errors import SkyflowError
from skyflow.model.catalog import Offering, Place
from skyflow.model.layout import RunFolder
from skyflow.model.machines import Intent, MachineRecord
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import MachineJournal
from skyflow.ports.transport import TransportError
from skyflow.runners.places import Attempt, MachineRunner

__all__ = ["RentedMachines"]


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
        self._plan = plan
        self._folder = folder
        self._journal = journal
        self._makes = makes
        self._rentals: dict[Attempt, Rental] = {}
        self._calls = calls = CloudCalls(makes.fleet, keys)
        self._takeover = Takeover(
            rentals=self._rentals, plan=plan, journal=journal, calls=calls, times=times, start_soon=self._start_soon
        )
        watch = Watch(plan=plan, calls=calls, clock=clock, times=times, give_up=self._takeover.give_up)
        asking = Asking(run=run, plan=plan, journal=journal, keys=keys, calls=calls, clock=clock, times=times)
        pacing = Pacing(run=run, plan=plan, journal=journal, calls=calls, clock=clock)
        acquiring = Acquiring(
            rentals=self._rentals,
            plan=plan,
            asking=asking,
            keys=keys,
            makes=makes,
            calls=calls,
            watch=watch,
            pacing=pacing,
            clock=clock,
            times=times,
        )
        keeping = Keeping(plan=plan, journal=journal, calls=calls, clock=clock, times=times)
        self._life = MachineLife(
            acquiring=acquiring, watch=watch, pacing=pacing, keeping=keeping, makes=makes, calls=calls, times=times
        )
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
        for rental in (*self._rentals.values(), *self._takeover.kept):
            rental.let_go()
        return await self._stack.__aexit__(kind, error, trace)

    async def take(
        self,
        which: Attempt,
        tell: Callable[[str], None],
        *,
        minutes: float | None = None,  # noqa: ARG002 -- who rents says when it ends
    ) -> MachineRunner:
        """Take a machine over that was kept for a job, or rent one, and wait until it can be used."""
        rental = self._rentals.get(which) or await self._takeover.take_over(which, tell)
        if rental is None:
            rental = self._rentals[which] = Rental(which, tell)
            self._start_soon(self._life.see_through, rental)
        rental.tell = tell
        try:
            await rental.settled.wait()
        except anyio.get_cancelled_exc_class():
            rental.let_go()
            raise
        if rental.runner is None:
            raise rental.problem or TransportError("the machine was given up")
        return rental.runner

    def taken(self, which: Attempt) -> MachineRunner | None:
        """Return what runs the steps of an attempt."""
        rental = self._rentals.get(which)
        return None if rental is None else rental.runner

    def neighbours(self, which: Attempt) -> None:
        """Return None: nothing goes from one machine to another."""

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
            if not await self._takeover.keep(rental):
                rental.let_go()
                await rental.over.wait()
            del self._rentals[which]
        shutil.rmtree(self._folder.temp(*which), ignore_errors=True)

    async def recover(self, attempts: Collection[Attempt]) -> frozenset[Attempt]:
        """Find the machines of an earlier driver by the journal; what no attempt has, and no job will, is given back."""
        mine: list[MachineRecord] = []
        others: list[MachineRecord] = []
        for record in await self._calls.blocking(partial(self._journal.records, unfinished_only=True)):
            is_mine = record.run == self._run and record.kept_until is None
            (mine if is_mine else others).append(record)
        kept: set[Attempt] = set()
        for which, records in self._together(mine):
            rental = Rental(which, lambda _: None, offering=self._offering_of(which, records))
            is_whole = rental.offering is not None
            if is_whole and which in attempts and which not in kept:
                kept.add(which)
                self._rentals[which] = rental
                self._start_soon(self._life.see_through, rental, records, [which])
            elif is_whole and _are_there(records) and (heirs := self._takeover.heirs(rental)):
                self._takeover.keep_for(rental, heirs)
                self._start_soon(self._life.see_through, rental, records)
            else:
                for record in records:
                    self._start_soon(self._calls.discard, record)
        if others:
            self._start_soon(self._sweep, others)
        return frozenset(kept)

    def _together(self, records: Sequence[MachineRecord]) -> Iterator[tuple[Attempt, list[MachineRecord]]]:
        """Yield the machines that an attempt has at one place; the newest first, for it may have asked for others before."""
        groups: dict[tuple[Attempt, Place, str, bool], list[MachineRecord]] = {}
        for record in records:
            is_over = record.intent is Intent.RELEASED
            key = record.user, record.offering.place, record.offering.instance_type, is_over
            groups.setdefault(key, []).append(record)
        for (which, *_), found in reversed(groups.items()):
            yield which, found

    def _offering_of(self, which: Attempt, records: Sequence[MachineRecord]) -> Offering | None:
        """Return what an attempt has in these machines; None if they are not all that it needs, or not needed any more."""
        planned = self._plan.placement(which[0]).offering
        is_whole = sorted(record.node for record in records) == list(range(planned.nodes))
        if not is_whole or any(record.intent is Intent.RELEASED for record in records):
            return None
        return planned if planned.nodes > 1 else records[0].offering

    async def _sweep(self, records: Sequence[MachineRecord]) -> None:
        """Clear up after runs that nobody drives; what cannot be done now, `skyflow gc` tries again."""
        with suppress(SkyflowError):
            await self._calls.blocking(partial(self._makes.sweep, records))

    def _start_soon(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._tasks.start_soon(work, *arguments)


def _are_there(records: Sequence[MachineRecord]) -> bool:
    return all(record.intent is Intent.CREATED for record in records)
