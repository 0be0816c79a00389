"""Keeps jobs at the pace that their deadline asks of them: which machine is next, and when one on demand has done enough."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import anyio

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.rental import Rental
from skyflow.model.machines import MachineRecord
from skyflow.model.pace import Pace
from skyflow.model.resources import Market
from skyflow.model.units import format_duration
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import MachineJournal
from skyflow.runners.places import Attempt

__all__ = ["Pacing"]

_IS_AHEAD = "the job is ahead of its deadline"


class Pacing:
    """Answers for the jobs of a run that recover by its deadline, and takes them from machines on demand in time.

    What a job has done it reads from the journal of machines: the time from when it began on each until that was gone, up to the last
    checkpoint. So it is known to whoever drives the run next, less what starting took at most.
    """

    def __init__(self, *, run: str, plan: LivePlan, journal: MachineJournal, calls: CloudCalls, clock: Clock) -> None:
        """Prepare; arguments are those of `RentedMachines`."""
        self._run = run
        self._plan = plan
        self._journal = journal
        self._calls = calls
        self._clock = clock
        self._begun: dict[Attempt, datetime] = {}
        self._gone_on: dict[str, str] = {}

    def pace(self, job_key: str) -> Pace | None:
        """Return the pace that a job keeps; None for one that does not recover by the deadline."""
        placed = self._plan.find(job_key)
        return None if placed is None or placed.recovery is None else placed.recovery.kept_pace

    async def patience(self, job_key: str, pace: Pace) -> float | None:
        """Return how long a job that has no machine may wait for a spot machine; None not to ask for one at all."""
        return pace.patience(self._plan.elapsed_seconds(), await self._left(job_key, pace))

    def why_gone_on(self, job_key: str) -> str:
        """Return once why a job has left its machine by itself; nothing if that was taken away."""
        return self._gone_on.pop(job_key, "")

    async def watch(self, rental: Rental) -> None:
        """Note when a job begins on its machine, and take one on demand from it when it can try spot machines again.

        Who takes a run over that had begun does not know when, and takes it that starting took as long as it may.
        """
        which = rental.user
        pace = self.pace(which[0])
        if pace is None or rental.runner is None:
            return
        if self._plan.has_begun(*which):
            held = self._clock.monotonic() - max(node.since for node in rental.by_rank)
            begins_at = self._plan.elapsed_seconds() - held + pace.overhead_seconds
        else:
            await self._begin(which)
            begins_at = self._plan.elapsed_seconds()
        if any(node.machine.market is Market.SPOT for node in rental.by_rank):
            return
        stint = pace.stint(begins_at, await self._left(which[0], pace))
        if math.isinf(stint):
            return
        await anyio.sleep(max(begins_at + stint - self._plan.elapsed_seconds(), 0.0))
        if rental.is_wanted and not rental.taken_away and not rental.is_lost:
            rental.taken_away = _IS_AHEAD
            self._gone_on[which[0]] = f"After {format_duration(stint)} on demand {_IS_AHEAD}"
            rental.runner.stop_all()

    async def _begin(self, which: Attempt) -> None:
        while not self._plan.has_begun(*which):
            await self._plan.moved.wait()
        self._begun[which] = self._clock.now()

    async def _left(self, job_key: str, pace: Pace) -> float:
        records = await self._calls.blocking(partial(self._journal.records, unfinished_only=False))
        return pace.left_after(self._worked(records, job_key, timedelta(seconds=pace.overhead_seconds)))

    def _worked(self, records: Sequence[MachineRecord], job_key: str, overhead: timedelta) -> Iterator[float]:
        """Yield for how long a job worked in each attempt that is over; not on machines that it took over from others."""
        attempts: defaultdict[Attempt, list[tuple[datetime, datetime]]] = defaultdict(list)
        for each in records:
            is_own = each.run == self._run and each.job == job_key and each.user == (job_key, each.attempt)
            if is_own and each.created_at is not None and each.gone_at is not None:
                attempts[each.user].append((each.created_at, each.gone_at))
        for which, times in attempts.items():
            begun = self._begun.get(which) or max(made for made, _ in times) + overhead
            yield (min(gone for _, gone in times) - begun).total_seconds()
