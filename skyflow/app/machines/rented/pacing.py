"""Keeps jobs at the pace that their deadline asks of them: which machine is next, and when one on demand has done enough."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
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

__all__ = ["Pacing"]

_IS_AHEAD = "the job is ahead of its deadline"


class Pacing:
    """Answers for the jobs of a run that recover by its deadline, and takes them from machines on demand in time.

    What a job has done it reads from the journal of machines: the time for which it held each, less what starting takes, up to the
    last checkpoint of it. So it is the same for whoever drives the run next.
    """

    def __init__(self, *, run: str, plan: LivePlan, journal: MachineJournal, calls: CloudCalls, clock: Clock) -> None:
        """Prepare; arguments are those of `RentedMachines`."""
        self._run = run
        self._plan = plan
        self._journal = journal
        self._calls = calls
        self._clock = clock
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

    async def give_back_in_time(self, rental: Rental) -> None:
        """Take a machine on demand from its job when that is so far ahead that it can try spot machines again."""
        pace = self.pace(rental.user[0])
        if pace is None or rental.runner is None or any(one.machine.market is Market.SPOT for one in rental.by_rank):
            return
        held = self._clock.monotonic() - max(node.since for node in rental.by_rank)
        begins_at = self._plan.elapsed_seconds() - held + pace.overhead_seconds
        stint = pace.stint(begins_at, await self._left(rental.user[0], pace))
        if math.isinf(stint):
            return
        await anyio.sleep(max(pace.overhead_seconds + stint - held, 0.0))
        if rental.is_wanted and not rental.taken_away and not rental.is_lost:
            rental.taken_away = _IS_AHEAD
            self._gone_on[rental.user[0]] = f"After {format_duration(stint)} on demand {_IS_AHEAD}"
            rental.runner.stop_all()

    async def _left(self, job_key: str, pace: Pace) -> float:
        records = await self._calls.blocking(partial(self._journal.records, unfinished_only=False))
        return pace.left_after(_held(records, self._run, job_key))


def _held(records: Sequence[MachineRecord], run: str, job_key: str) -> Iterator[float]:
    """Yield for how long a job had all machines of each attempt that is over; not those that it took over from others."""
    attempts: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for each in records:
        is_own = each.run == run and each.job == job_key and each.user == (job_key, each.attempt)
        if is_own and each.created_at is not None and each.gone_at is not None:
            attempts[each.attempt].append((each.created_at, each.gone_at))
    for times in attempts.values():
        yield (min(gone for _, gone in times) - max(made for made, _ in times)).total_seconds()
