"""Interrupts a run that another process drives, as Ctrl-C does where it runs."""

import os
import signal

from skyflow.app.project import Project
from skyflow.app.running.follow import wait_for_run
from skyflow.errors import UsageError
from skyflow.store.lease import lease_holder
from skyflow.store.store import open_store

__all__ = ["interrupt_run"]

_SECONDS = 60
"""Longer than steps are given to end; machines that are given back take the rest."""


def interrupt_run(name: str, *, project: Project) -> None:
    """Tell the driver of a run to stop in good order, and wait until it has; nothing happens where there is none.

    Raises:
        UsageError: there is no such run, or its driver does not end.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
    holder = lease_holder(project.state.run(run.id))
    if holder is None:
        return
    os.kill(holder, signal.SIGINT)
    if wait_for_run(run.id, project=project, timeout_seconds=_SECONDS) is None:
        raise UsageError(
            f"run {run.number} was asked to stop, and has not within {_SECONDS} seconds",
            hint="look at it again when it is interrupted",
        )
