"""Tells that something has changed since it was last looked at, without reading what."""

import os
from pathlib import Path

from skyflow.app.project import Project
from skyflow.model.run import RunId
from skyflow.store.lease import is_leased
from skyflow.store.store import open_store

__all__ = ["mark_of_run", "mark_of_runs"]

Mark = tuple[object, ...]


def mark_of_runs(project: Project) -> Mark:
    """Return what differs from before when a run was added, has moved, was forgotten, or has lost its driver."""
    if not project.state.database.exists():
        return ()
    with open_store(project.state, create=False) as store:
        numbers, unfinished = store.mark_of_runs()
    return (*numbers, *(run for run in unfinished if is_leased(project.state.run(run))))


def mark_of_run(project: Project, run: RunId, *, after: int) -> tuple[int, int]:
    """Return the number of the last move of a run, and how much its steps have printed and summed up, in bytes.

    Args:
        project: where the run is.
        run: which one.
        after: the number of a move that is known; only later ones are read.
    """
    with open_store(project.state, create=False) as store:
        events = store.events(run, after=after)
    return (events[-1].id if events else after), _bytes_below(project.state.run(run).root)


def _bytes_below(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".log", ".md")):
                try:
                    total += os.stat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118 -- thousands of them
                except FileNotFoundError:
                    continue
    return total
