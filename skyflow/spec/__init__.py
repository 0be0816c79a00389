"""From the text of a workflow file to a `Workflow`, with everything that is wrong with it said at once.

    source -> tree -> walk -> parse -> checks
    bytes     nodes   shape   meaning  rules

`source` and `tree` read YAML 1.2 with the place of every node, `walk` compares it with the `grammar` and parses the
expressions, `parse` and its siblings make the model, and `checks` has one rule in each module. `unsupported` says what
of a valid workflow cannot be run. The YAML library takes long to import, so it is imported when a file is read.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skyflow.diagnostics import Diagnostic
from skyflow.model.workflow import Workflow
from skyflow.spec.render import render_diagnostic
from skyflow.spec.source import read_bytes, source_lines
from skyflow.spec.workspace import FolderOf, ReadFile, nowhere, reader_for, workspace_of

if TYPE_CHECKING:
    from skyflow.model.action import Action
    from skyflow.model.config import ProjectConfig
    from skyflow.spec.nodes import Node

__all__ = [
    "FolderOf",
    "LoadedWorkflow",
    "ReadFile",
    "load_action",
    "load_config",
    "load_workflow",
    "reader_for",
    "render_diagnostic",
    "reread_workflow",
    "source_lines",
    "workspace_of",
]


@dataclass(frozen=True, slots=True)
class LoadedWorkflow:
    """A valid workflow.

    `findings` are warnings and hints, in reading order. `refusals` say what of it skyflow cannot run, and what to do
    instead; while there are any, it must not be run. `root` is what stands in the file, with the place of every value.
    """

    workflow: Workflow
    root: "Node"
    findings: tuple[Diagnostic, ...]
    refusals: tuple[Diagnostic, ...]


def load_workflow(
    path: str,
    *,
    text: str | bytes | None = None,
    platform: str = sys.platform,
    read: ReadFile | None = None,
    folder_of: FolderOf = nowhere,
) -> LoadedWorkflow:
    """Read, check and parse one workflow file.

    Args:
        path: The file, as the user named it; findings repeat it.
        text: The content, where it is known already; the file is not opened then.
        platform: The `sys.platform` of the machine that `runs-on: local` means.
        read: What reads the files that the workflow refers to; by default those of its workspace, or none where the
            text is given.
        folder_of: Says which folders stand for actions of other repositories; those without one cannot be run.

    Raises:
        UsageError: The file cannot be read.
        WorkflowInvalidError: The file has errors; it carries all findings, warnings and hints included.
    """
    from skyflow.spec.load import load  # noqa: PLC0415 - imports ruamel.yaml

    content = text
    if content is None:
        content = read_bytes(path)
        read = read or reader_for(workspace_of(path))
    loaded = load(path, content, platform=platform, read=read, folder_of=folder_of)
    return LoadedWorkflow(loaded.workflow, loaded.root, loaded.findings, loaded.refusals)


def reread_workflow(path: str, text: str) -> Workflow:
    """Parse a workflow that was checked before it became part of a run, without checking it again.

    Args:
        path: The file it came from.
        text: Its content, as the run has kept it.

    Raises:
        WorkflowInvalidError: Its form is wrong, as this version of skyflow sees it.
    """
    from skyflow.spec.findings import Findings  # noqa: PLC0415 - imports ruamel.yaml
    from skyflow.spec.load import parse  # noqa: PLC0415

    return parse(text, Findings(path)).workflow


def load_action(path: str, text: str | bytes) -> "Action":
    """Read, check and parse the `action.yml` of a local action.

    Args:
        path: The file, as findings are to name it.
        text: Its content.

    Raises:
        WorkflowInvalidError: The file has errors, or the action is of a kind that skyflow does not run.
    """
    from skyflow.spec.action import load  # noqa: PLC0415 - imports ruamel.yaml

    return load(path, text)


def load_config(path: str, text: str | bytes) -> "tuple[ProjectConfig, tuple[Diagnostic, ...]]":
    """Read and check a project's `skyflow.yml`; return what it says, and what is odd about it.

    Args:
        path: The file, as findings are to name it.
        text: Its content.

    Raises:
        WorkflowInvalidError: The file has errors; it carries all findings.
    """
    from skyflow.spec.config import load  # noqa: PLC0415 - imports ruamel.yaml

    return load(path, text)
