"""GitHub takes any name for an event; one it does not know never starts the workflow."""

from collections.abc import Iterator

from skyflow._util.text import did_you_mean
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode, find

__all__ = ["CHECK"]

_EVENTS = (
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "dynamic",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "member",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
)
_OPPOSITES = ("branches", "tags", "paths")


def _run(subject: Subject, findings: Findings) -> None:
    on = find(subject.root, ("on",))
    for name in _names(on):
        if name.key and "${{" not in name.key and name.key not in _EVENTS:
            message = f"'{name.key}' is no event that GitHub is known to have"
            findings.warning(CHECK.code, name.span, message, hint=did_you_mean(name.key, _EVENTS))
    for entry in on.entries.values() if isinstance(on, MappingNode) else ():
        filters = entry.value.entries if isinstance(entry.value, MappingNode) else {}
        for only in _OPPOSITES:
            if only in filters and f"{only}-ignore" in filters:
                message = f"'{only}' and '{only}-ignore' cannot both filter one event"
                hint = f"put patterns that begin with '!' into '{only}'"
                findings.warning(CHECK.code, filters[f"{only}-ignore"].key.span, message, hint=hint)


def _names(on: Node | None) -> Iterator[ScalarNode]:
    if isinstance(on, MappingNode):
        yield from (entry.key for entry in on.entries.values())
    elif isinstance(on, SequenceNode):
        yield from (item for item in on.items if isinstance(item, ScalarNode))
    elif on is not None:
        yield on


CHECK = Check(
    code="event-unknown",
    summary="Events have names that GitHub knows, and filters that do not exclude each other.",
    wrong="on: pull_reqest\njobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    right="on: pull_request\njobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
)
