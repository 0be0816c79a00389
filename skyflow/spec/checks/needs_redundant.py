"""A job that is waited for anyway, through another one, need not be named, unless something of it is used."""

from skyflow.model.workflow import JobSpec
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        if len(job.needs) < 2:  # noqa: PLR2004 -- one need cannot come through another
            continue
        used = {reference.path[0].lower() if reference.path else "" for reference in subject.references(job, "needs")}
        if "" in used or _is_circular(subject, job):  # "": all of `needs`, or what only the evaluation can tell
            continue
        used |= {name.lower() for name, _ in job.data_gb}
        for need in job.needs:
            needed = subject.job(need.job_id)
            if needed is None or needed.id.lower() in used or needed.id == job.id:
                continue
            others = [other.job_id for other in job.needs if other.job_id.lower() != need.job_id.lower()]
            through = next((other for other in others if _comes_before(subject, needed, other)), None)
            if through is not None:
                message = f"'{through}' waits for '{need.job_id}' already, and nothing of it is used here"
                findings.hint(CHECK.code, need.span, message, hint=f"'{need.job_id}' can be left out of 'needs'")


def _is_circular(subject: Subject, job: JobSpec) -> bool:
    """Tell whether the job needs a circle, so that what waits for what has no answer."""
    needed = [subject.job(need.job_id) for need in job.needs]
    return any(each is not None and _comes_before(subject, each, each.id) for each in needed)


def _comes_before(subject: Subject, needed: JobSpec, other: str) -> bool:
    """Tell whether `other` needs the job, directly or through others."""
    pending, seen = [other.lower()], {other.lower()}
    for job_id in pending:
        job = subject.job(job_id)
        for need in job.needs if job is not None else ():
            if need.job_id.lower() == needed.id.lower():
                return True
            if need.job_id.lower() not in seen:
                seen.add(need.job_id.lower())
                pending.append(need.job_id.lower())
    return False


CHECK = Check(
    code="needs-redundant",
    summary="`needs` names no job that another entry waits for already, unless something of it is used.",
    wrong="""\
jobs:
  build:
    runs-on: local
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: make test}]
  publish:
    needs: [build, test]
    runs-on: local
    steps: [{run: make publish}]
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
  publish:
    needs: test
    runs-on: local
    steps: [{run: make publish}]
""",
    run=_run,
)
