"""The workflows that a workflow calls by `uses: ./path`, and those that they call."""

from collections.abc import Callable, Mapping
from pathlib import Path

from skyflow.errors import UsageError
from skyflow.model.workflow import Workflow
from skyflow.spec import load_workflow

__all__ = ["callees_from", "callees_in"]


def callees_in(workflow: Workflow, root: Path) -> dict[str, Workflow]:
    """Read every workflow that can be called, from the project folder.

    Raises:
        UsageError: one cannot be read.
        WorkflowInvalidError: one has errors.
    """

    def read(uses: str) -> Workflow:
        path = (root / uses).resolve()
        if not path.is_relative_to(root.resolve()):
            raise UsageError(f"{uses} leads out of the project folder {root}")
        return load_workflow(uses, text=_text(path, uses)).workflow

    return _reachable(workflow, read)


def callees_from(workflow: Workflow, sources: Mapping[str, str]) -> dict[str, Workflow]:
    """Return every workflow that can be called, from the sources that a run has kept."""
    return _reachable(workflow, lambda uses: load_workflow(uses, text=sources[uses]).workflow)


def _reachable(workflow: Workflow, read: Callable[[str], Workflow]) -> dict[str, Workflow]:
    found: dict[str, Workflow] = {}
    waiting = [workflow]
    for caller in waiting:
        for spec in caller.jobs:
            if spec.call is not None and spec.call.uses not in found:
                found[spec.call.uses] = read(spec.call.uses)
                waiting.append(found[spec.call.uses])
    return found


def _text(path: Path, uses: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the called workflow {uses}: {error.strerror or error}") from error
