"""Asks clouds for the machines of attempts: for one, or for several that stand in one zone, all of them or none."""

from collections.abc import Sequence
from functools import partial

import anyio

from skyflow.app.machines.live_plan import LivePlan
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.calls import CloudCalls
from skyflow.app.machines.rented.rental import Node, Rental, Times, request_for
from skyflow.errors import InternalError, SkyflowError
from skyflow.model.catalog import Offering
from skyflow.model.machines import FailureKind, Scope
from skyflow.ports.clock import Clock
from skyflow.ports.provisioner import CloudError, MachineJournal
from skyflow.provisioners.failures import PASSED_OVER
from skyflow.provisioners.fleet import UnwantedError
from skyflow.runners.one_error import one_error

__all__ = ["Asking"]


class Asking:
    """Has machines made, each in a thread of its own."""

    def __init__(
        self,
        *,
        run: str,
        plan: LivePlan,
        journal: MachineJournal,
        keys: MachineKeys,
        calls: CloudCalls,
        clock: Clock,
        times: Times,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            run: which run the machines are for.
            plan: says what the jobs ask of machines.
            journal: knows whose machines they are.
            keys: the keys of machines.
            calls: asks the clouds.
            clock: the time.
            times: when machines end themselves.
        """
        self._run = run
        self._plan = plan
        self._journal = journal
        self._keys = keys
        self._calls = calls
        self._clock = clock
        self._times = times

    async def ask(self, rental: Rental, offering: Offering) -> None:
        """Have what an offering says; where one of several machines is not to be had, the others are given back.

        Several share a zone: where the offering leaves it open, one zone after the other is tried.

        Raises:
            CloudError: there is none to be had.
            SkyflowError: it cannot even be asked for.
        """
        rental.offering, rental.refused = offering, None
        zones = await self._zones(offering)
        full: CloudError | None = None
        for zone in zones:
            rental.asked += 1
            try:
                return await self._ask_in(zone, rental, offering)
            except CloudError as error:
                if len(zones) == 1 or error.kind not in PASSED_OVER or error.scope is not Scope.ZONE:
                    raise
                full = error if full is None or error.kind is FailureKind.CAPACITY else full  # that may pass
        if full is None:
            raise InternalError("a list of zones is never empty")
        full.scope = Scope.REGION
        raise full

    async def _zones(self, offering: Offering) -> Sequence[str]:
        if offering.nodes == 1 or offering.zone:
            return (offering.zone,)
        fleet = await self._calls.fleet(offering.provider)
        return await self._calls.blocking(partial(fleet.zones, offering.region)) or ("",)

    async def _ask_in(self, zone: str, rental: Rental, offering: Offering) -> None:
        problems: list[SkyflowError] = []
        with one_error():
            async with anyio.create_task_group() as tasks:
                for rank in range(offering.nodes):
                    tasks.start_soon(self._have, rental, offering, rank, zone, problems)
        if problems:
            await self._calls.give_back_all(rental)
            raise problems[0]

    async def _have(
        self, rental: Rental, offering: Offering, rank: int, zone: str, problems: list[SkyflowError]
    ) -> None:
        """Have one machine, unless another one of the same job is not to be had."""
        started, one, asked_for = self._clock.monotonic(), offering.machine(rank), offering.machine(rank, zone=zone)
        ask = partial(request_for, run=self._run, keys=self._keys, times=self._times)
        try:
            fleet = await self._calls.fleet(asked_for.provider)
            owner, wanted = await self._calls.blocking(self._journal.owner), self._plan.requirements(rental.user[0])
            request = await self._calls.blocking(partial(ask, rental, rank, asked_for, wanted, owner=owner))
            machine = await self._calls.blocking(
                partial(fleet.acquire, request, is_wanted=lambda: rental.is_wanted and not problems)
            )
        except UnwantedError as error:
            if not problems:
                problems.append(error)
            return
        except SkyflowError as error:
            rental.refused = rental.refused if problems else one
            problems.append(error)
            return
        since = self._clock.monotonic()
        rental.nodes[rank] = Node(one, machine, since, asked_at=started)
        where = machine.zone or machine.region
        rental.tell(f"{machine.console_id} in {where} runs after {since - started:.1f} s\n")
