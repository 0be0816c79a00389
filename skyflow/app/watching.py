"""Tells that something has changed since it was last looked at, without reading what."""

from skyflow.app.project import Project
from skyflow.store.lease import is_leased
from skyflow.store.store import open_store

__all__ = ["mark_of_runs"]

Mark = tuple[object, ...]


def mark_of_runs(project: Project) -> Mark:
    """Return what differs from before when a run was added, has moved, was forgotten, or has lost its driver."""
    if not project.state.database.exists():
        return ()
    with open_store(project.state, create=False) as store:
        numbers, unfinished = store.mark_of_runs()
    return (*numbers, *(run for run in unfinished if is_leased(project.state.run(run))))
