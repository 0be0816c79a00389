"""Two steps of a job with one id could not be told apart in `steps.<id>`."""

from skyflow.diagnostics import Span
from skyflow.spec.checks.subject import Check, Phase, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        seen: dict[str, Span] = {}
        for step in all_steps(job.steps):
            span = step.id_span
            if step.id is None or span is None:
                continue
            first = seen.setdefault(step.id.lower(), span)
            if first is not span:
                message = f"the step id '{step.id}' is already taken in job '{job.id}'"
                hint = f"the first one is at line {first.line}, column {first.column}; case does not matter"
                findings.error(CHECK.code, span, message, hint=hint)


CHECK = Check(
    code="step-id-duplicate",
    summary="The ids of the steps of a job are unique, ignoring case.",
    wrong="jobs:\n  a:\n    runs-on: local\n    steps:\n      - {id: x, run: make}\n      - {id: X, run: make test}\n",
    right="jobs:\n  a:\n    runs-on: local\n    steps:\n      - {id: x, run: make}\n      - {id: y, run: make test}\n",
    run=_run,
    phase=Phase.FORM,
)
