"""Everything skyflow raises, and the exit code each error leads to.

    SkyflowError                     1
    ├─ UsageError                    2   bad option, missing file, unknown run
    ├─ WorkflowError                 3
    │  ├─ WorkflowInvalidError           the file has findings (`.diagnostics`)
    │  └─ ExpressionError                a `${{ }}` expression does not parse or evaluate
    ├─ PlanningError                 4
    │  ├─ CatalogError                   unreadable catalog, bad row
    │  ├─ NoCandidateError               a job's requirements match no offering
    │  ├─ InfeasibleError                the requirements contradict each other (`.conflict`)
    │  └─ SolverError                    the solver itself failed
    ├─ ProvisionError                5   a machine could not be had, or cannot be reached
    ├─ StoreError                    6
    │  ├─ StoreLockedError               another process holds the run or the database
    │  ├─ SchemaTooNewError              written by a newer skyflow
    │  └─ StaleWriteError                the row is no longer in the state we decided from
    └─ InternalError                70   a bug in skyflow
       └─ InvalidTransitionError

A step that fails is not an error but a conclusion: the run ends with exit code 1 and nothing is raised.
"""

from typing import ClassVar

from skyflow.diagnostics import Diagnostic

__all__ = [
    "EXIT_INTERNAL",
    "EXIT_INTERRUPTED",
    "EXIT_NOT_SUCCESS",
    "EXIT_NO_PLAN",
    "EXIT_PROVISION",
    "EXIT_STORE",
    "EXIT_SUCCESS",
    "EXIT_TIMEOUT",
    "EXIT_USAGE",
    "EXIT_WORKFLOW_INVALID",
    "CatalogError",
    "ExpressionError",
    "InfeasibleError",
    "InternalError",
    "InvalidTransitionError",
    "NoCandidateError",
    "PlanningError",
    "ProvisionError",
    "SchemaTooNewError",
    "SkyflowError",
    "SolverError",
    "StaleWriteError",
    "StoreError",
    "StoreLockedError",
    "UsageError",
    "WorkflowError",
    "WorkflowInvalidError",
]

EXIT_SUCCESS = 0
"""The command did what was asked; a run ended in success."""
EXIT_NOT_SUCCESS = 1
"""The run ended, but not in success; `skyflow doctor` found something broken."""
EXIT_USAGE = 2
"""A wrong option or argument, a missing file, an unknown run."""
EXIT_WORKFLOW_INVALID = 3
"""The workflow file has errors; each is printed with its place."""
EXIT_NO_PLAN = 4
"""No feasible plan: nothing in the catalog fits, or the limits contradict each other."""
EXIT_PROVISION = 5
"""A machine could not be provided."""
EXIT_STORE = 6
"""The state store cannot be used, or a store of artifacts: what the others have is shown or removed all the same."""
EXIT_INTERNAL = 70
"""A bug in skyflow; the message asks for a report."""
EXIT_TIMEOUT = 124
"""`skyflow wait --timeout`: the run had not ended in time."""
EXIT_INTERRUPTED = 130
"""Interrupted by Ctrl-C, a signal, or a reader of its output that went away; `skyflow resume` continues."""


class SkyflowError(Exception):
    """The root of everything skyflow raises on purpose."""

    exit_code: ClassVar[int] = EXIT_NOT_SUCCESS

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SkyflowError):
    """The command line asks for something that does not exist or does not make sense."""

    exit_code = EXIT_USAGE


class WorkflowError(SkyflowError):
    """Something is wrong with the workflow itself."""

    exit_code = EXIT_WORKFLOW_INVALID


class WorkflowInvalidError(WorkflowError):
    """The workflow file has at least one error; `diagnostics` holds all findings in reading order."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("\n".join(str(finding) for finding in diagnostics))
        self.diagnostics = diagnostics


class ExpressionError(WorkflowError):
    """An expression does not parse, or cannot be evaluated.

    `start` and `end` are 0-based offsets into the expression text, `end` exclusive; both None where the whole
    expression is meant (too long, too deep, out of memory).
    """

    def __init__(self, message: str, *, start: int | None = None, end: int | None = None) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


class PlanningError(SkyflowError):
    """No plan can be given."""

    exit_code = EXIT_NO_PLAN


class CatalogError(PlanningError):
    """A catalog file cannot be read."""


class NoCandidateError(PlanningError):
    """No offering satisfies what a job asks for."""


class InfeasibleError(PlanningError):
    """The requirements contradict each other; `conflict` names the constraint families involved."""

    def __init__(self, message: str, *, conflict: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.conflict = conflict


class SolverError(PlanningError):
    """The solver failed for a technical reason."""


class ProvisionError(SkyflowError):
    """A machine could not be provided or reached."""

    exit_code = EXIT_PROVISION


class StoreError(SkyflowError):
    """The state store cannot be read or written."""

    exit_code = EXIT_STORE


class StoreLockedError(StoreError):
    """Another process holds what this one needs."""


class SchemaTooNewError(StoreError):
    """The state store was written by a newer skyflow."""


class StaleWriteError(StoreError):
    """A guarded write found the row in another state than the one it was decided from."""


class InternalError(SkyflowError):
    """An invariant of skyflow is broken: a bug."""

    exit_code = EXIT_INTERNAL


class InvalidTransitionError(InternalError):
    """An entity was asked to move along an arrow that its state diagram does not have."""
