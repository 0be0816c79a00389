"""Lets machines that stayed after their runs stay for another while: `skyflow keep`."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from skyflow.app.machines.clouds import open_cloud, open_journal
from skyflow.app.machines.hosts import transport_to
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.machines.rented.keeping import order_to_stay
from skyflow.app.machines.rented.rental import MOST_SECONDS, host_of
from skyflow.app.project import Project
from skyflow.errors import SkyflowError
from skyflow.model.machines import MachineRecord, MachineState
from skyflow.ports.clock import Waiter
from skyflow.provisioners.fleet import Fleet

__all__ = ["keep_longer"]

_NO_CONFIG = Path("/dev/null")
_ANSWER_SECONDS = 30.0


def keep_longer(
    machines: Sequence[MachineRecord], seconds: float, *, project: Project, clock: Waiter
) -> list[tuple[MachineRecord, str]]:
    """Order machines to end themselves so many seconds from now, and not before; return each with what went wrong, if anything did.

    It is written down once a machine has taken the order: one that has not ends itself when it would have.
    """
    until = clock.now() + timedelta(seconds=seconds)
    problems = [""] * len(machines)

    async def order(number: int) -> None:
        problems[number] = await _order(machines[number], until, project, clock)

    async def order_all() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(len(machines)):
                tasks.start_soon(order, number)

    anyio.run(order_all)
    return list(zip(machines, problems, strict=True))


async def _order(record: MachineRecord, until: datetime, project: Project, clock: Waiter) -> str:
    """Have a machine stay until then; return what is wrong if it does not."""
    now = clock.now()
    if record.kept_until is None:
        return "its run was not told to keep it; `skyflow resume` goes on there"
    if not record.is_kept(now):
        return "the time that it was kept for is over"
    if until > (latest := (record.created_at or record.intended_at) + timedelta(seconds=MOST_SECONDS)):
        return f"it ends itself a week after its start, at {latest.astimezone():%Y-%m-%d %H:%M}"
    journal = open_journal(project)
    try:
        fleet = Fleet(open_cloud(record.offering.provider, clock).provisioner, journal, clock)
        machine = await anyio.to_thread.run_sync(fleet.find, record)
        if machine is None or machine.state is not MachineState.RUNNING or not machine.address:
            return "it is gone"
        transport = transport_to(host_of(machine, MachineKeys(project.state)), config=_NO_CONFIG)
    except SkyflowError as error:
        return str(error)
    try:
        problem = await order_to_stay(transport, math.ceil((until - now).total_seconds()), within=_ANSWER_SECONDS)
    finally:
        await transport.aclose()
    if not problem:
        await anyio.to_thread.run_sync(partial(journal.kept, record.name, until))
    return problem
