"""Cancels a run, whoever drives it."""

import os

from skyflow.app.drive import CANCEL_SIGNAL, ReporterFactory, RunResult
from skyflow.app.follow import wait_for_run
from skyflow.app.launch import GivenSecrets
from skyflow.app.project import Project
from skyflow.app.run import continue_run, run_lease
from skyflow.errors import StoreLockedError, UsageError
from skyflow.model.run import RunId
from skyflow.model.status import Status
from skyflow.store.lease import lease_holder
from skyflow.store.store import open_store

__all__ = ["cancel_run"]


def cancel_run(name: str, *, project: Project, reporter: ReporterFactory, given: GivenSecrets) -> RunResult:
    """Cancel a run and wait until that is done: its jobs end as cancelled, those with `if: always()` still run.

    The wish is stored first. A living driver is told to look; a run without one is driven to its end here.

    Raises:
        UsageError: there is no such run, or it has completed.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        if not store.cancel_run(run.id):
            raise UsageError(f"run {run.number} has completed ({run.conclusion}); there is nothing to cancel")
        while (result := _told(run.id, project)) is None:
            try:
                with run_lease(project.state.run(run.id)):
                    run = store.find_run(run.id)
                    if run.status is not Status.COMPLETED:
                        return continue_run(store, run, project=project, reporter=reporter, given=given)
            except StoreLockedError:  # somebody has resumed it in this moment
                continue
        return result


def _told(run_id: str, project: Project) -> RunResult | None:
    """Tell the driver of a run, and wait for the end; None when the run has not completed and nobody drives it."""
    holder = lease_holder(project.state.run(RunId(run_id)))
    if holder is not None:
        os.kill(holder, CANCEL_SIGNAL)
    result = wait_for_run(run_id, project=project)
    return result if result is not None and result.run.status is Status.COMPLETED else None
