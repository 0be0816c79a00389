"""`uses` has one of the forms that GitHub knows; what a job calls is a workflow file, and what a step uses an action."""

import re

from skyflow.model.workflow import UsesStep
from skyflow.spec.checks.subject import Check, Phase, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_SEPARATOR = re.compile(r"[/\\]")
_WORKFLOW_SEGMENTS = 3  # owner, repository, file


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        if job.call is not None:
            reason = _why_no_workflow(job.call.uses)
            if reason is not None:
                hint = "write './path/to/file.yml' or 'owner/repository/path/to/file.yml@ref'"
                message = f"'{job.call.uses}' names no workflow: {reason}"
                findings.error(CHECK.code, job.call.span, message, hint=hint)
        for step in all_steps(job.steps):
            if isinstance(step, UsesStep) and not _is_action(step.uses):
                hint = "write './folder', 'owner/repository@ref', 'owner/repository/folder@ref' or 'docker://image'"
                findings.error(CHECK.code, step.uses_span, f"'{step.uses}' names no action", hint=hint)


def _is_action(uses: str) -> bool:
    if uses.startswith(("docker://", "./", ".\\", "$/")):
        return True
    path, *refs = uses.split("@")
    segments = [segment for segment in _SEPARATOR.split(path) if segment]
    return len(refs) == 1 and bool(refs[0]) and len(segments) > 1


def _why_no_workflow(uses: str) -> str | None:
    if uses.startswith("./"):
        return "a file of the same repository has no '@ref'" if "@" in uses else None
    path, *refs = uses.split("@")
    if not refs or not refs[0]:
        return "there is no '@ref', the branch, tag or commit"
    if len([segment for segment in path.split("/") if segment]) < _WORKFLOW_SEGMENTS or len(refs) > 1:
        return "it is not of the form 'owner/repository/path@ref'"
    return None


CHECK = Check(
    code="uses-invalid",
    summary="`uses` names an action or a workflow in one of GitHub's forms.",
    wrong="jobs:\n  build:\n    runs-on: local\n    steps: [{uses: actions/checkout}]\n",
    right="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.FORM,
)
