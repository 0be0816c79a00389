"""A job without steps does nothing."""

from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import find

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        node = find(subject.root, ("jobs", job.id))
        if not job.steps and job.call is None and node is not None:
            hint = "add `steps:` with at least one `- run: ...`"
            findings.error(CHECK.code, node.span, f"job '{job.id}' has no steps", hint=hint)


CHECK = Check(
    code="job-no-steps",
    summary="Every job has at least one step.",
    wrong="jobs:\n  build:\n    runs-on: local\n    steps: []\n",
    right="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.FORM,
)
