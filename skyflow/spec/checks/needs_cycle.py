"""Jobs that need each other in a circle would wait for ever, and so would every job that needs one of them.

As on GitHub, each entry of `needs` is reported that can never be satisfied, so that no job of the circle is overlooked.
"""

from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings

__all__ = ["CHECK", "way"]


def _run(subject: Subject, findings: Findings) -> None:
    jobs = subject.workflow.jobs
    if all(job.needs for job in jobs):
        return  # then there is no job to begin with, which is all that GitHub says
    startable = _startable(subject)
    for job in jobs:
        for need in job.needs:
            needed = subject.job(need.job_id)
            if job.id in startable or needed is None or needed.id in startable:
                continue
            if needed is job:
                findings.error(CHECK.code, need.span, f"job '{job.id}' needs itself")
                continue
            circle = way(subject, needed.id, job.id)
            if circle:
                message = f"these jobs need each other in a circle: {' -> '.join((job.id, *circle))}"
                findings.error(CHECK.code, need.span, message, hint="remove one of these entries of 'needs'")
            else:
                message = f"job '{job.id}' can never start: it needs '{needed.id}', which never starts"
                findings.error(CHECK.code, need.span, message)


def _startable(subject: Subject) -> set[str]:
    """Return the jobs that start sooner or later."""
    waiting: dict[str, set[str]] = {}
    dependents: dict[str, list[str]] = {}
    for job in subject.workflow.jobs:
        waiting[job.id] = {need.job_id.lower() for need in job.needs}
        for needed in waiting[job.id]:
            dependents.setdefault(needed, []).append(job.id)
    ready = [job_id for job_id, needs in waiting.items() if not needs]
    found: set[str] = set()
    while ready:
        job_id = ready.pop()
        found.add(job_id)
        for dependent in dependents.get(job_id.lower(), ()):
            waiting[dependent].discard(job_id.lower())
            if not waiting[dependent]:
                ready.append(dependent)
    return found


def way(subject: Subject, start: str, goal: str) -> tuple[str, ...]:
    """Return the shortest way along `needs` from one job to another, both included; empty if there is none."""
    came_from: dict[str, str | None] = {start: None}
    pending = [start]
    for job_id in pending:
        job = subject.job(job_id)
        for need in job.needs if job else ():
            needed = subject.job(need.job_id)
            if needed is not None and needed.id not in came_from:
                came_from[needed.id] = job_id
                pending.append(needed.id)
    if goal not in came_from:
        return ()
    found: list[str] = []
    at: str | None = goal
    while at is not None:
        found.append(at)
        at = came_from[at]
    return tuple(reversed(found))


CHECK = Check(
    code="needs-cycle",
    summary="No job needs itself, directly or through others.",
    wrong="""\
jobs:
  prepare:
    runs-on: local
    steps: [{run: make prepare}]
  build:
    needs: test
    runs-on: local
    steps: [{run: make}]
  test:
    needs: build
    runs-on: local
    steps: [{run: make test}]
""",
    right="""\
jobs:
  prepare:
    runs-on: local
    steps: [{run: make prepare}]
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
