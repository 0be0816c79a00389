"""skyflow: GitHub-Actions-style workflows, planned across clouds, run anywhere, resumed after anything.

    import skyflow

    workflow = skyflow.load_workflow("workflows/quickstart.yml")
    print(skyflow.plan(workflow, objective="cost").makespan_seconds)
    result = skyflow.run(workflow)
    assert result.is_success

Names are imported when they are first used, so that `import skyflow` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skyflow.app.library import load_workflow, plan, resume, run
    from skyflow.app.running.drive import RunResult
    from skyflow.diagnostics import Diagnostic
    from skyflow.errors import (
        InternalError,
        PlanningError,
        ProvisionError,
        SkyflowError,
        StoreError,
        UsageError,
        WorkflowError,
        WorkflowInvalidError,
    )
    from skyflow.model.annotation import Annotation, AnnotationLevel, AnnotationRecord
    from skyflow.model.objective import Objective
    from skyflow.model.placement import Placement, Plan
    from skyflow.model.run import JobRecord, RunRecord
    from skyflow.model.status import Conclusion, Status
    from skyflow.model.workflow import Workflow

    __version__: str

__all__ = [
    "Annotation",
    "AnnotationLevel",
    "AnnotationRecord",
    "Conclusion",
    "Diagnostic",
    "InternalError",
    "JobRecord",
    "Objective",
    "Placement",
    "Plan",
    "PlanningError",
    "ProvisionError",
    "RunRecord",
    "RunResult",
    "SkyflowError",
    "Status",
    "StoreError",
    "UsageError",
    "Workflow",
    "WorkflowError",
    "WorkflowInvalidError",
    "load_workflow",
    "plan",
    "resume",
    "run",
]

_HOMES = {
    "skyflow.app.library": ("load_workflow", "plan", "resume", "run"),
    "skyflow.app.running.drive": ("RunResult",),
    "skyflow.diagnostics": ("Diagnostic",),
    "skyflow.errors": (
        "InternalError",
        "PlanningError",
        "ProvisionError",
        "SkyflowError",
        "StoreError",
        "UsageError",
        "WorkflowError",
        "WorkflowInvalidError",
    ),
    "skyflow.model.annotation": ("Annotation", "AnnotationLevel", "AnnotationRecord"),
    "skyflow.model.objective": ("Objective",),
    "skyflow.model.placement": ("Placement", "Plan"),
    "skyflow.model.run": ("JobRecord", "RunRecord"),
    "skyflow.model.status": ("Conclusion", "Status"),
    "skyflow.model.workflow": ("Workflow",),
}


def __getattr__(name: str) -> object:
    """Import a public name on first use."""
    if name == "__version__":
        return _version_as_built()
    for module, names in _HOMES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'skyflow' has no attribute '{name}'")


def _version_as_built() -> str:
    """Return the version of the tag, as it was when this was built or installed; before that, nobody has looked."""
    try:
        return str(import_module("skyflow._version").__version__)
    except ModuleNotFoundError:
        return "0.0.0"


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
