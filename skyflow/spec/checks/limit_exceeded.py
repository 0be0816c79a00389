"""Some values have limits of GitHub's: the name of a concurrency group, of a runner group, the version of an image."""

import re
from collections.abc import Iterator

from skyflow.model.workflow import Concurrency
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, ScalarNode, find

__all__ = ["CHECK"]

_MAX_GROUP = 400
_RUNNER_GROUP_PREFIXES = ("org", "organization", "ent", "enterprise")
_IMAGE_VERSION = re.compile(r"([0-9]{1,99})\.\*")
_MAX_MAJOR = 2**31 - 1
_ONE_SLASH = 2  # parts


def _run(subject: Subject, findings: Findings) -> None:
    for concurrency in _groups(subject):
        if concurrency.group.template.is_literal and len(concurrency.group.template.text({})) > _MAX_GROUP:
            message = f"the name of a concurrency group has at most {_MAX_GROUP} characters"
            findings.error(CHECK.code, concurrency.span, message)
    for job in subject.workflow.jobs:
        _check_runner_group(subject, job.id, findings)
        _check_snapshot(subject, job.id, findings)


def _groups(subject: Subject) -> Iterator[Concurrency]:
    for concurrency in (subject.workflow.concurrency, *(job.concurrency for job in subject.workflow.jobs)):
        if concurrency is not None:
            yield concurrency


def _check_runner_group(subject: Subject, job_id: str, findings: Findings) -> None:
    group = find(subject.root, ("jobs", job_id, "runs-on", "group"))
    if not isinstance(group, ScalarNode) or "${{" in group.key:
        return
    parts = group.key.split("/")
    if len(parts) > _ONE_SLASH or (
        len(parts) == _ONE_SLASH and (not parts[1] or parts[0] not in _RUNNER_GROUP_PREFIXES)
    ):
        hint = "a group is `name`, `organization/name` or `enterprise/name`"
        findings.error(CHECK.code, group.span, f"'{group.key}' is not the name of a runner group", hint=hint)


def _check_snapshot(subject: Subject, job_id: str, findings: Findings) -> None:
    snapshot = find(subject.root, ("jobs", job_id, "snapshot"))
    version = snapshot.get("version") if isinstance(snapshot, MappingNode) else None
    if not isinstance(snapshot, MappingNode) or not isinstance(version, ScalarNode) or "${{" in version.key:
        return
    match = _IMAGE_VERSION.fullmatch(version.key)
    if match is None or int(match[1]) > _MAX_MAJOR:
        message = f"the version of an image looks like '1.*', not '{version.key}'"
        findings.error(CHECK.code, snapshot.span, message)


CHECK = Check(
    code="limit-exceeded",
    summary="Names of groups and versions of images have the form and length that GitHub allows.",
    wrong="jobs:\n  build:\n    runs-on: {group: a/b/c}\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: {group: builders}\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.FORM,
)
