"""What a project has paid for: machines, and data that moved."""

from skyflow.app.project import Project
from skyflow.model.machines import MachineRecord
from skyflow.model.transfers import TransferRecord
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store
from skyflow.store.transfers import TransferStore

__all__ = ["paid_for"]


def paid_for(project: Project, run: str | None = None) -> tuple[list[MachineRecord], list[TransferRecord]]:
    """Return the machines that a project, or one of its runs, has rented, and the data it has moved, oldest first.

    Raises:
        UsageError: there is no such run.
    """
    if run is None and not project.state.database.exists():
        return [], []
    with open_store(project.state, create=False) as store:
        which = None if run is None else store.find_run(run).id
        return machine_records(store, which), TransferStore(store).transfers(which)
