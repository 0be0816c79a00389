"""What a project has paid for machines."""

from skyflow.app.project import Project
from skyflow.model.machines import MachineRecord
from skyflow.store.machines import machine_records
from skyflow.store.store import open_store

__all__ = ["rented_by"]


def rented_by(project: Project, run: str | None = None) -> list[MachineRecord]:
    """Return the machines that a project, or one of its runs, has rented, oldest first.

    Raises:
        UsageError: there is no such run.
    """
    if run is None and not project.state.database.exists():
        return []
    with open_store(project.state, create=False) as store:
        return machine_records(store, None if run is None else store.find_run(run).id)
