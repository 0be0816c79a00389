"""From job to job: a machine whose job has ended is kept for one that is planned on it.

It is kept not for long, and not once nobody needs it any more.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any

import anyio

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.rental import Rental, Times
from skyflow.ports.provisioner import MachineJournal
from skyflow.ports.transport import TransportError
from skyflow.runners.places import Attempt

__all__ = ["Takeover"]


class Takeover:
    """The machines of a run that nobody has and that are kept for jobs to come."""

    def __init__(
        self,
        *,
        rentals: dict[Attempt, Rental],
        plan: LivePlan,
        journal: MachineJournal,
        calls: CloudCalls,
        times: Times,
        start_soon: Callable[..., Any],
    ) -> None:
        """Begin with none.

        Args:
            rentals: the machines that attempts have; one that is taken over is added.
            plan: says which jobs share a machine.
            journal: where it is written who has a machine.
            calls: to write without waiting.
            times: how long to wait for what.
            start_soon: starts what looks after a machine that is kept.
        """
        self._rentals = rentals
        self._plan = plan
        self._journal = journal
        self._calls = calls
        self._times = times
        self._start_soon = start_soon
        self._kept: list[Rental] = []

    @property
    def kept(self) -> tuple[Rental, ...]:
        """The machines that wait for a job."""
        return tuple(self._kept)

    def heirs(self, rental: Rental) -> frozenset[str]:
        """Return the jobs that may take over a machine once its own has ended, and have none yet."""
        if rental.offering is None or not self._plan.has_ended(rental.user[0]):
            return frozenset()
        return self._without_machine(self._plan.heirs(rental.user[0], rental.offering))

    async def keep(self, rental: Rental) -> bool:
        """Keep a machine for a job to come, cleared of the one that has ended; tell whether it is worth that and fit."""
        runner = rental.runner
        if runner is None or rental.is_lost or rental.taken_away or not self._times.idle or not self.heirs(rental):
            return False
        with anyio.move_on_after(self._times.clean_up_within), suppress(TransportError):
            if not self._times.keep:  # else nobody may take it over, and somebody want to see what is there
                await runner.release(*rental.user)
            await runner.check(self._times.clean_up_within)
            heirs = self.heirs(rental)
            if heirs and rental.is_wanted and not rental.taken_away:
                self.keep_for(rental, heirs)
                return True
        return False

    def keep_for(self, rental: Rental, heirs: frozenset[str]) -> None:
        """Keep a machine for one of some jobs."""
        rental.heirs = heirs
        rental.wait = anyio.move_on_after(self._times.idle)
        self._kept.append(rental)
        self._start_soon(self._wait_for_heir, rental, rental.wait)
        rental.handed_back.set()

    def give_up(self, rental: Rental) -> None:
        """Let go of a machine if it is kept."""
        if rental in self._kept:
            self._kept.remove(rental)
            rental.let_go()

    async def take_over(self, which: Attempt, tell: Callable[[str], None]) -> Rental | None:
        """Return a machine that is kept for a job, or about to be, if it is still there and the job planned on it."""
        job = self._plan.placement(which[0]).job
        for rental in (*self._kept, *self._rentals.values()):
            if job not in (rental.heirs if rental in self._kept else self.heirs(rental)):
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
        if rental.runner is None:
            raise rental.problem or TransportError("it was given up")
        await rental.runner.check(self._times.clean_up_within)
        if self._times.keep:
            await rental.runner.release(*rental.user)
        for node in rental.by_rank:
            await self._calls.blocking(partial(self._journal.handed_on, node.machine.name, *which))
            tell(f"{node.machine.console_id} is taken over from {rental.user[0]}\n")
        rental.user, rental.tell, rental.heirs, rental.handed_back = which, tell, frozenset(), anyio.Event()
        self._rentals[which] = rental

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

    def _without_machine(self, jobs: Collection[str]) -> frozenset[str]:
        return frozenset(jobs) - {self._plan.placement(key).job for key, _ in self._rentals}
