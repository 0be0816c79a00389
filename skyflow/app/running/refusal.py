"""Keeps a workflow from being run that has something in it which skyflow cannot run."""

from dataclasses import replace

from skyflow.diagnostics import Severity
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import LoadedWorkflow

__all__ = ["refuse_what_cannot_run"]


def refuse_what_cannot_run(loaded: LoadedWorkflow) -> None:
    """Raise if there is anything in the workflow that cannot be run.

    Raises:
        WorkflowInvalidError: there is; it carries one error for each place, with what to do instead. What is a warning
            to someone who checks a file is what keeps this run from starting.
    """
    if loaded.refusals:
        raise WorkflowInvalidError(tuple(replace(each, severity=Severity.ERROR) for each in loaded.refusals))
