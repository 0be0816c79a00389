"""Some job has to be the first; this is also what is said of a workflow without jobs."""

from skyflow._util.text import did_you_mean
from skyflow.spec.checks.needs_cycle import way
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import find

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    jobs = find(subject.root, ("jobs",))
    if jobs is not None and all(job.needs for job in subject.workflow.jobs):
        message = "every job needs another one, so none can begin" if subject.workflow.jobs else "there are no jobs"
        findings.error(CHECK.code, jobs.span, message, hint=_why(subject))


def _why(subject: Subject) -> str:
    """Return what keeps the jobs from beginning: one that is not there, else a circle."""
    jobs = subject.workflow.jobs
    needs = [(job, need) for job in jobs for need in job.needs]
    for job, need in needs:
        if subject.job(need.job_id) is None:
            meant = did_you_mean(need.job_id, [other.id for other in jobs if other is not job])
            return f"job '{job.id}' needs '{need.job_id}', but there is no such job{f'; {meant}' if meant else ''}"
    for job, need in needs:
        needed = subject.job(need.job_id)
        circle = () if needed is None else way(subject, needed.id, job.id)
        if circle:
            return (
                f"a workflow has at least one job without 'needs'; here is a circle: {' -> '.join((job.id, *circle))}"
            )
    return "a workflow has at least one job without 'needs'"


CHECK = Check(
    code="needs-start",
    summary="At least one job needs no other.",
    wrong="jobs:\n  build:\n    needs: build\n    runs-on: local\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.GRAPH,
)
