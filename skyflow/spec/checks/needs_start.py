"""Some job has to be the first; this is also what is said of a workflow without jobs."""

from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import find

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    jobs = find(subject.root, ("jobs",))
    if jobs is not None and all(job.needs for job in subject.workflow.jobs):
        message = "every job needs another one, so none can begin" if subject.workflow.jobs else "there are no jobs"
        findings.error(CHECK.code, jobs.span, message, hint="a workflow has at least one job without 'needs'")


CHECK = Check(
    code="needs-start",
    summary="At least one job needs no other.",
    wrong="jobs:\n  build:\n    needs: build\n    runs-on: local\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.GRAPH,
)
