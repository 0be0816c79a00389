"""A time limit of nothing, or a matrix of which no job may run, is a mistake."""

from collections.abc import Iterator

from skyflow.expr.ast import Literal
from skyflow.model.workflow import Authored, JobSpec
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        for authored, least in _numbers(job):
            expr = authored.template.expr
            value = expr.value if isinstance(expr, Literal) else None
            if isinstance(value, float) and not least <= value < float("inf"):
                wanted = "at least 1" if least == 1 else "more than 0"
                findings.warning(CHECK.code, authored.span, f"expected a number that is {wanted}, found {value:g}")


def _numbers(job: JobSpec) -> Iterator[tuple[Authored, float]]:
    """Yield the literal or computed numbers of a job, each with the least it may be."""
    smallest = 5e-324  # the first number above nothing
    timeouts = (job.timeout_minutes, *(step.timeout_minutes for step in all_steps(job.steps)))
    yield from ((timeout, smallest) for timeout in timeouts if timeout is not None)
    if job.strategy.max_parallel is not None:
        yield job.strategy.max_parallel, 1


CHECK = Check(
    code="not-positive",
    summary="`timeout-minutes` is more than 0, and `max-parallel` at least 1.",
    wrong="jobs:\n  build:\n    runs-on: local\n    timeout-minutes: 0\n    steps: [{run: make}]\n",
    right="jobs:\n  build:\n    runs-on: local\n    timeout-minutes: 30\n    steps: [{run: make}]\n",
    run=_run,
)
