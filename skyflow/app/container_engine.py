"""Which container engine the jobs of a workflow use, and what to say where there is none.

Most workflows need none, and it takes time to import what finds one.
"""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from skyflow._util.text import sentence_list
from skyflow.diagnostics import Diagnostic, Severity
from skyflow.errors import ProvisionError
from skyflow.model.workflow import JobSpec, Workflow

if TYPE_CHECKING:
    from skyflow.runners.containers.engine import ContainerEngine

__all__ = ["all_specs", "engine_findings", "engine_for", "engine_or_problem", "has_containers"]

_ADVICE = (
    "install Docker or Podman and start it (`docker info` or `podman info` must succeed), or take 'container' and "
    "'services' out"
)


def has_containers(spec: JobSpec) -> bool:
    """Tell whether a job may run in a container or beside some; which of them it does, the run will tell."""
    return spec.container is not None or bool(spec.services)


def engine_for(specs: Iterable[JobSpec]) -> "ContainerEngine | None":
    """Return the engine of this machine, or None if none of the jobs needs one.

    Raises:
        ProvisionError: one is needed, and none answers.
    """
    wanting = [spec.id for spec in specs if has_containers(spec)]
    if not wanting:
        return None
    found = engine_or_problem()
    if not isinstance(found, str):
        return found
    named = sentence_list(f"'{name}'" for name in wanting)
    jobs = "jobs" if len(wanting) > 1 else "job"
    raise ProvisionError(f"{jobs} {named} cannot run without a container engine: {found}", hint=_ADVICE)


def engine_findings(workflow: Workflow) -> tuple[Diagnostic, ...]:
    """Return a warning at the first job that cannot run on this machine because it has no engine; the file is valid."""
    wanting = [spec for spec in workflow.jobs if has_containers(spec)]
    found = engine_or_problem() if wanting else None
    if not isinstance(found, str):
        return ()
    return tuple(
        Diagnostic(
            code="cannot-run",
            severity=Severity.WARNING,
            path=workflow.path,
            span=spec.container.span if spec.container is not None else spec.services[0][1].span,
            message=f"skyflow cannot run containers on this machine: {found}",
            hint=_ADVICE,
        )
        for spec in wanting[:1]
    )


def engine_or_problem() -> "ContainerEngine | str":
    """Return the engine of this machine, or why there is none."""
    from skyflow.runners.containers.engine import CHOICE_VARIABLE  # noqa: PLC0415 -- see the module's docstring

    return _find(os.environ.get(CHOICE_VARIABLE), os.environ.get("PATH"))


@cache
def _find(*_: str | None) -> "ContainerEngine | str":
    """Ask once, as long as what decides it does not change: an engine takes its time to answer."""
    from skyflow.runners.containers.engine import NoEngineError, find_engine  # noqa: PLC0415 -- see above
    from skyflow.vault.secrets import without_secrets  # noqa: PLC0415

    try:
        return find_engine(without_secrets(os.environ))
    except NoEngineError as error:
        return str(error)


def all_specs(workflow: Workflow, callees: Mapping[str, Workflow]) -> list[JobSpec]:
    """Return the job specs of a workflow and of all it may call."""
    return [spec for each in (workflow, *callees.values()) for spec in each.jobs]
