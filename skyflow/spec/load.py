"""The whole way from a file to a workflow; the one module of this package that knows all the others.

GitHub's service goes in stages, each only if the one before found nothing wrong: the form of the file, each job for
itself, how jobs need each other, the workflows they call. Here a person is told as much at once as makes sense: a file of
the right form is looked at as a whole, and of one of the wrong form at least the `needs`; called workflows come last.
"""

from dataclasses import dataclass

from skyflow.diagnostics import Diagnostic, has_errors, in_reading_order
from skyflow.errors import WorkflowInvalidError
from skyflow.model.workflow import Workflow
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.checks.subject import Phase, Subject
from skyflow.spec.findings import FileRefusedError, Findings
from skyflow.spec.grammar.workflow import WORKFLOW
from skyflow.spec.nodes import Node
from skyflow.spec.parse import Parsed, parse_workflow
from skyflow.spec.skeleton import skeleton
from skyflow.spec.source import decode
from skyflow.spec.tree import compose
from skyflow.spec.unsupported import find_refusals
from skyflow.spec.walk import walk
from skyflow.spec.workspace import FolderOf, ReadFile, nowhere

__all__ = ["Loaded", "load", "parse"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A workflow without errors: how its file was read, what is odd about it, and what keeps skyflow from running it."""

    workflow: Workflow
    root: Node
    findings: tuple[Diagnostic, ...]
    refusals: tuple[Diagnostic, ...]


def load(
    path: str, content: bytes | str, *, platform: str, read: ReadFile | None, folder_of: FolderOf = nowhere
) -> Loaded:
    """Return the workflow in `content`.

    Raises:
        WorkflowInvalidError: the file has errors; it carries all findings.
    """
    _, loaded = _load(path, content, platform=platform, read=read, folder_of=folder_of)
    return loaded


def _load(
    path: str, content: bytes | str, *, platform: str, read: ReadFile | None, folder_of: FolderOf = nowhere
) -> tuple[Parsed, Loaded]:
    findings = Findings(path)
    parsed = parse(content, findings)
    subject = Subject(parsed, platform=platform, read=read, parse=_parse_called, folder_of=folder_of)
    _run(Phase.FORM, subject, findings)
    _run(Phase.GRAPH, subject, findings)
    if not has_errors(findings.found):  # what is wrong with a `uses` would be told a second time
        _run(Phase.CALLS, subject, findings)
    _run(Phase.ADVICE, subject, findings)
    refusals = Findings(path)
    find_refusals(subject, findings, refusals)
    found = in_reading_order(findings.found)
    if has_errors(found):
        raise WorkflowInvalidError(found)
    return parsed, Loaded(parsed.workflow, parsed.root, found, in_reading_order(refusals.found))


def parse(content: bytes | str, findings: Findings) -> Parsed:
    """Return the workflow in `content` if its form is right.

    Raises:
        WorkflowInvalidError: it is not; the error carries the findings so far.
    """
    try:
        text = decode(content, findings)
        root = compose(text, findings)
    except FileRefusedError:
        raise WorkflowInvalidError(in_reading_order(findings.found)) from None
    # A value that YAML itself could not make sense of is null from then on; that it is null is no mistake of its own.
    unread = {finding.span for finding in findings.found}
    form = Findings(findings.path)
    templates = walk(root, WORKFLOW, text, form)
    findings.found.extend(finding for finding in form.found if finding.span not in unread)
    if has_errors(findings.found):
        findings.found.extend(_graph_findings(root, text, findings.path))
        raise WorkflowInvalidError(in_reading_order(findings.found))
    return parse_workflow(root, text, templates, findings)


def _graph_findings(root: Node, text: str, path: str) -> list[Diagnostic]:
    """Return what is wrong with the `needs` of a file whose form is wrong as well."""
    bones = skeleton(root)
    form, graph = Findings(path), Findings(path)
    templates = walk(bones, WORKFLOW, text, form) if bones is not None else {}
    if bones is not None and not has_errors(form.found):
        parsed = parse_workflow(bones, text, templates, form)
        _run(Phase.GRAPH, Subject(parsed, platform="", read=None, parse=_parse_called), graph)
    return graph.found


def _run(phase: Phase, subject: Subject, findings: Findings) -> None:
    for check in CHECKS:
        if check.phase is phase:
            check.run(subject, findings)


def _parse_called(path: str, content: bytes) -> Parsed:
    """Return a workflow that another one calls, without looking at what it calls itself.

    Raises:
        WorkflowInvalidError: it has errors.
    """
    parsed, _ = _load(path, content, platform="", read=None)
    return parsed
