"""Cancels a run, whoever drives it."""

import os

from skyflow.app.project import Project
from skyflow.app.running.drive import CANCEL_SIGNAL, ReporterFactory, RunResult
from skyflow.app.running.follow import wait_for_run
from skyflow.app.running.launch import GivenSecrets
from skyflow.app.running.run import continue_run, run_lease
from skyflow.errors import StoreLockedError, UsageError
from skyflow.model.run import RunId, RunRecord
from skyflow.model.status import Status
from skyflow.store.lease import lease_holder
from skyflow.store.store import Store, open_store

__all__ = ["ask_to_cancel", "cancel_run"]


def ask_to_cancel(name: str, *, project: Project) -> bool:
    """Store the wish that a run be cancelled, and tell its driver without waiting for it; return whether there is one.

    Raises:
        UsageError: there is no such run, or it has completed.
    """
    with open_store(project.state, create=False) as store:
        return _tell(_wish(store, name).id, project)


def cancel_run(name: str, *, project: Project, reporter: ReporterFactory, given: GivenSecrets) -> RunResult:
    """Cancel a run and wait until that is done: its jobs end as cancelled, those with `if: always()` still run.

    The wish is stored first. A living driver is told to look; a run without one is driven to its end here.

    Raises:
        UsageError: there is no such run, or it has completed.
    """
    with open_store(project.state, create=False) as store:
        run = _wish(store, name)
        while (result := _told(run.id, project)) is None:
            try:
                with run_lease(project.state.run(run.id)):
                    run = store.find_run(run.id)
                    if run.status is not Status.COMPLETED:
                        return continue_run(store, run, project=project, reporter=reporter, given=given)
            except StoreLockedError:  # somebody has resumed it in this moment
                continue
        return result


def _wish(store: Store, name: str) -> RunRecord:
    run = store.find_run(name)
    if not store.cancel_run(run.id):
        raise UsageError(f"run {run.number} has completed ({run.conclusion}); there is nothing to cancel")
    return run


def _tell(run_id: RunId, project: Project) -> bool:
    """Tell the driver of a run to look; return whether there is one."""
    holder = lease_holder(project.state.run(run_id))
    if holder is not None:
        os.kill(holder, CANCEL_SIGNAL)
    return holder is not None


def _told(run_id: RunId, project: Project) -> RunResult | None:
    """Tell the driver of a run, and wait for the end; None when the run has not completed and nobody drives it."""
    _tell(run_id, project)
    result = wait_for_run(run_id, project=project)
    return result if result is not None and result.run.status is Status.COMPLETED else None
