"""What GitHub accepts and skyflow cannot run, or runs as if it were not there.

Such a workflow is valid, and `skyflow validate` says so; a run of it is refused before anything starts. Each feature is
one entry of `FEATURES`: when the engine learns it, its entry goes. Keys that skyflow ignores without harm are mentioned
once a file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from skyflow.diagnostics import Span
from skyflow.model.workflow import (
    Step,
    UsesStep,
)
from skyflow.spec.checks.subject import Subject, all_steps
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, Node, find
from skyflow.spec.runs_on import labels_of, misplaced_label
from skyflow.spec.uses import is_docker, is_remote
from skyflow.spec.workspace import is_action_folder

__all__ = ["FEATURES", "Feature", "find_refusals"]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that cannot be run: what it is, what to do instead, and where a workflow has it."""

    what: str
    instead: str
    find: Callable[[Subject], Iterator[Span]]


def find_refusals(subject: Subject, findings: Findings, refusals: Findings) -> None:
    """Add a warning to `refusals` for all that cannot be run, and a hint to `findings` for keys without effect."""
    for feature in FEATURES:
        for span in feature.find(subject):
            refusals.warning("cannot-run", span, f"skyflow cannot run {feature.what}", hint=feature.instead)
    _mention(subject.root, findings)


# ------------------------------------------------------------------------------------------------ keys without effect

_NO_EFFECT = {
    "permissions": ": there is no GitHub token",
    "environment": ": there are no GitHub deployments",
    "cancel-timeout-minutes": " yet",
}


def _mention(root: Node, findings: Findings) -> None:
    noted: set[str] = set()
    jobs = find(root, ("jobs",))
    below = [entry.value for entry in jobs.entries.values()] if isinstance(jobs, MappingNode) else []
    for node in (root, *below):
        for name, why in _NO_EFFECT.items():
            entry = node.entries.get(name) if isinstance(node, MappingNode) else None
            if entry is not None and name not in noted:
                noted.add(name)
                findings.hint("no-effect", entry.key.span, f"'{name}' is accepted but has no effect{why}")


# ---------------------------------------------------------------------------------------------------- where they are


def _steps(subject: Subject) -> Iterator[Step]:
    for job in subject.workflow.jobs:
        yield from all_steps(job.steps)


def _actions(subject: Subject, wanted: Callable[[str], bool]) -> Iterator[Span]:
    for step in _steps(subject):
        if isinstance(step, UsesStep) and wanted(step.uses):
            yield step.uses_span


def _not_at_hand(subject: Subject) -> Iterator[Span]:
    return _actions(subject, lambda uses: is_remote(uses) and subject.folder_of(uses) is None)


def _without_description(subject: Subject) -> Iterator[Span]:
    def wanted(uses: str) -> bool:
        folder = subject.folder_of(uses) if is_remote(uses) else None
        return folder is not None and not is_action_folder(folder)

    return _actions(subject, wanted)


def _job_keys(*keys: str) -> Callable[[Subject], Iterator[Span]]:
    """Return what finds keys of jobs."""

    def found(subject: Subject) -> Iterator[Span]:
        for job in subject.workflow.jobs:
            node = find(subject.root, ("jobs", job.id))
            entries = node.entries if isinstance(node, MappingNode) else {}
            yield from (entries[key].key.span for key in keys if key in entries)

    return found


def _remote_calls(subject: Subject) -> Iterator[Span]:
    for job in subject.workflow.jobs:
        if job.call is not None and not job.call.uses.startswith("./"):
            yield job.call.span


def _no_label(subject: Subject) -> Iterator[Span]:
    for job in subject.workflow.jobs:
        node = find(subject.root, ("jobs", job.id, "runs-on"))
        if node is not None and not labels_of(node):
            yield node.span


def _misplaced(subject: Subject) -> Iterator[Span]:
    for job in subject.workflow.jobs:
        node = find(subject.root, ("jobs", job.id, "runs-on"))
        label = misplaced_label(node) if node is not None else None
        if label is not None:
            yield label.span


FEATURES: tuple[Feature, ...] = (
    Feature(
        "an action of another repository",
        "write the commands in a step with 'run', or keep a copy of the action and say where in skyflow.yml: "
        "`actions: {owner/repository: ./folder}`",
        _not_at_hand,
    ),
    Feature(
        "an action without an action.yml in the folder that stands for it",
        "look at `actions` in skyflow.yml: a folder has to be there, with a copy of the action",
        _without_description,
    ),
    Feature(
        "an action that is a container image",
        "start the container in a step with 'run': `docker run ...`",
        lambda subject: _actions(subject, is_docker),
    ),
    Feature(
        "a workflow of another repository",
        "keep a copy of the file in the workspace, and call './path/to/file.yml'",
        _remote_calls,
    ),
    Feature("a job with 'snapshot', which makes images of GitHub's machines", "remove the key", _job_keys("snapshot")),
    Feature(
        "a job whose 'runs-on' names no label",
        "write `runs-on: local` for this machine, or `runs-on: sky` to let skyflow choose one",
        _no_label,
    ),
    Feature(
        "a job whose 'runs-on' names a cloud beside labels of this machine",
        "name providers alone, such as `[aws, gcp]`, or labels of this machine alone",
        _misplaced,
    ),
)
"""Everything that keeps a run from starting, in the order in which it is looked for."""
