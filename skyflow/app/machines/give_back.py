"""Gives back machines that stayed after their runs: `skyflow down`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from skyflow.app.machines.clouds import open_cloud, open_journal
from skyflow.app.machines.machine_keys import MachineKeys
from skyflow.app.project import Project
from skyflow.errors import SkyflowError, UsageError
from skyflow.model.machines import Intent, MachineRecord
from skyflow.model.run import RunRecord
from skyflow.ports.clock import Waiter
from skyflow.provisioners.fleet import Fleet
from skyflow.store.lease import is_leased
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store

__all__ = ["Staying", "give_back", "staying_machines"]

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Staying:
    """Machines that nobody's run will give back, by their runs, oldest first."""

    runs: tuple[tuple[RunRecord, tuple[MachineRecord, ...]], ...]

    @property
    def machines(self) -> tuple[MachineRecord, ...]:
        """All of them."""
        return tuple(machine for _, machines in self.runs for machine in machines)

    def of_newest_run(self) -> "Staying":
        """Return those of the newest run that has any."""
        return Staying(self.runs[-1:])


def staying_machines(project: Project, name: str | None = None) -> Staying:
    """Return the machines of a run, or of all, that may exist and that no living driver gives back.

    Raises:
        UsageError: there is no such run, or it goes on and keeps nothing yet.
    """
    if name is None and not project.state.database.exists():
        return Staying(())
    with open_store(project.state, create=False) as store:
        runs = None if name is None else [store.find_run(name)]
        records = [each for each in machine_records(store) if each.intent is not Intent.GONE]
        if runs is None:
            runs = sorted((store.find_run(run) for run in {each.run for each in records}), key=lambda run: run.number)
    found = []
    for run in runs:
        is_driven = is_leased(project.state.run(run.id))
        theirs = [each for each in records if each.run == run.id]
        stay = tuple(each for each in theirs if each.kept_until is not None or not is_driven)
        if name is not None and theirs and not stay:
            raise UsageError(
                f"run {run.number} goes on, and gives back its machines itself",
                hint=f"`skyflow cancel {run.number}` ends it",
            )
        if stay:
            found.append((run, stay))
    return Staying(tuple(found))


def give_back(
    machines: Sequence[MachineRecord], project: Project, clock: Waiter
) -> list[tuple[MachineRecord, str | None]]:
    """Remove machines and wait until they are gone; return each with what went wrong, if anything did."""
    journal, keys = open_journal(project), MachineKeys(project.state)

    def remove(fleet: Fleet, record: MachineRecord) -> str | None:
        try:
            if not fleet.discard(record):
                return "it was told to go, and is still there"
        except SkyflowError as error:
            return str(error)
        keys.forget_host(record.name)
        return None

    fleets: dict[str, Fleet | str] = {}
    for provider in {each.offering.provider for each in machines}:
        try:
            fleets[provider] = Fleet(open_cloud(provider, clock).provisioner, journal, clock)
        except SkyflowError as error:
            fleets[provider] = str(error)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="cloud") as pool:
        ended = []
        for record in machines:
            fleet = fleets[record.offering.provider]
            ended.append(fleet if isinstance(fleet, str) else pool.submit(remove, fleet, record))
    return [
        (record, each if isinstance(each, str) else each.result()) for record, each in zip(machines, ended, strict=True)
    ]
