"""Keeps a workflow from being run that has something in it which skyflow cannot run."""

from skyflow.errors import WorkflowInvalidError
from skyflow.spec import LoadedWorkflow

__all__ = ["refuse_what_cannot_run"]


def refuse_what_cannot_run(loaded: LoadedWorkflow) -> None:
    """Raise if there is anything in the workflow that cannot be run.

    Raises:
        WorkflowInvalidError: there is; it carries one warning for each place, with what to do instead.
    """
    if loaded.refusals:
        raise WorkflowInvalidError(loaded.refusals)
