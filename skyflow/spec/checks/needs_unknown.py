"""A job can only need a job of the same workflow."""

from skyflow._util.text import did_you_mean
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    ids = [job.id for job in subject.workflow.jobs]
    if all(job.needs for job in subject.workflow.jobs):
        return  # then there is no job to begin with, which is all that GitHub says
    for job in subject.workflow.jobs:
        for need in job.needs:
            if subject.job(need.job_id) is None:
                others = [other for other in ids if other != job.id]
                hint = did_you_mean(need.job_id, others, otherwise=f"the jobs are: {', '.join(ids)}")
                message = f"job '{job.id}' needs '{need.job_id}', but there is no such job"
                findings.error(CHECK.code, need.span, message, hint=hint)


CHECK = Check(
    code="needs-unknown",
    summary="Every entry of `needs` is the id of a job.",
    wrong="""\
jobs:
  build:
    runs-on: local
    steps: [{run: make}]
  test:
    needs: builds
    runs-on: local
    steps: [{run: make test}]
""",
    right="""\
jobs:
  build:
    runs-on: local
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: make test}]
""",
    run=_run,
    phase=Phase.GRAPH,
)
