"""GitHub's labels mean this machine, even those that name another operating system."""

from collections.abc import Iterator

from skyflow.model.workflow import JobSpec
from skyflow.spec.checks.subject import Check, Subject, leaves
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, find
from skyflow.spec.runs_on import labels_of

__all__ = ["CHECK"]

_SYSTEMS = {"windows-": ("win32", "Windows"), "macos-": ("darwin", "macOS")}


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        for label in _labels(subject, job):
            for prefix, (platform, system) in _SYSTEMS.items():
                if label.key.lower().startswith(prefix) and subject.platform != platform:
                    message = f"'{label.key}' is {system}, but the job runs on this machine, which is not"
                    findings.warning(CHECK.code, label.span, message)


def _labels(subject: Subject, job: JobSpec) -> Iterator[ScalarNode]:
    """Yield the labels as written, and those that the matrix gives to `${{ matrix.os }}`."""
    node = find(subject.root, ("jobs", job.id, "runs-on"))
    yield from labels_of(node) if node is not None else ()
    written = {leaf.span for leaf in leaves(job.runs_on)}
    references = (each for each in subject.references(job, "matrix") if each.authored.span in written)
    names = {reference.path[0].lower() for reference in references if reference.path}
    matrix = find(subject.root, ("jobs", job.id, "strategy", "matrix"))
    if names and isinstance(matrix, MappingNode):
        yield from _values(matrix, names)


def _values(node: MappingNode, names: set[str]) -> Iterator[ScalarNode]:
    """Yield what stands below these names, in the matrix itself and in what it includes."""
    for entry in node.written:
        if entry.name.lower() in names:
            yield from _scalars(entry.value)
        elif entry.name == "include" and isinstance(entry.value, SequenceNode):
            for each in entry.value.items:
                yield from _values(each, names) if isinstance(each, MappingNode) else ()


def _scalars(node: Node) -> Iterator[ScalarNode]:
    if isinstance(node, ScalarNode):
        yield node
    else:
        for item in node.items if isinstance(node, SequenceNode) else ():
            yield from _scalars(item)


CHECK = Check(
    code="runs-on-other-system",
    summary="A job that asks for Windows or macOS runs on this machine all the same.",
    wrong="jobs:\n  build:\n    runs-on: windows-latest\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n",
    run=_run,
)
