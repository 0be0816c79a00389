"""Tells that something has changed since it was last looked at, without reading what."""

import os
from pathlib import Path

from skyflow.app.project import Project
from skyflow.model.run import RunId
from skyflow.store.store import open_store

__all__ = ["mark_of_run", "mark_of_runs"]

_MOST_RUNS = 200


def mark_of_runs(project: Project) -> str:
    """Return a text that differs from that of before when a run was added or moved."""
    if not project.state.database.exists():
        return ""
    with open_store(project.state, create=False) as store:
        return ";".join(f"{run.number}{run.status}{run.conclusion}" for run in store.latest_runs(_MOST_RUNS))


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
