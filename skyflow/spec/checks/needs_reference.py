"""`needs.<id>` holds only the jobs that the job needs itself; anything else is null when the job runs."""

from skyflow._util.text import did_you_mean
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        needed = [need.job_id for need in job.needs]
        for reference in subject.references(job, "needs"):
            if not reference.path or reference.path[0].lower() in {job_id.lower() for job_id in needed}:
                continue
            name = reference.path[0]
            exists = subject.job(name) is not None
            hint = f"add '{name}' to 'needs'" if exists else did_you_mean(name, needed)
            message = f"job '{job.id}' does not need '{name}', so 'needs.{name}' is always empty"
            findings.warning(CHECK.code, subject.span(reference, 0), message, hint=hint)


CHECK = Check(
    code="needs-reference",
    summary="Expressions refer to needed jobs only.",
    wrong="""\
jobs:
  build:
    runs-on: local
    outputs: {tag: v1}
    steps: [{run: make}]
  test:
    runs-on: local
    steps: [{run: "echo ${{ needs.build.outputs.tag }}"}]
""",
    right="""\
jobs:
  build:
    runs-on: local
    outputs: {tag: v1}
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: "echo ${{ needs.build.outputs.tag }}"}]
""",
    run=_run,
)
