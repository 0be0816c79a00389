"""Ids of jobs and steps are names, so that expressions can refer to them."""

import re
from collections.abc import Iterator

from skyflow.diagnostics import Span
from skyflow.spec.checks.subject import Check, Phase, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MAX_LENGTH = 100


def _run(subject: Subject, findings: Findings) -> None:
    for what, text, span in _ids(subject):
        reason = _why_invalid(text)
        if reason is not None:
            hint = "use letters, digits, '-' and '_', and start with a letter or '_'"
            findings.error(CHECK.code, span, f"'{text}' cannot be the id of a {what}: {reason}", hint=hint)


def _ids(subject: Subject) -> Iterator[tuple[str, str, Span]]:
    for job in subject.workflow.jobs:
        yield "job", job.id, job.span
        yield from (("step", step.id, step.id_span) for step in all_steps(job.steps) if step.id and step.id_span)


def _why_invalid(text: str) -> str | None:
    if len(text) >= _MAX_LENGTH:
        return f"it has {_MAX_LENGTH} characters or more"
    if text.startswith("__"):
        return "'__' is reserved"
    return None if _ID.fullmatch(text) else "it is not a plain name"


CHECK = Check(
    code="id-invalid",
    summary="Ids of jobs and steps are letters, digits, '-' and '_', fewer than 100, and do not start with '__'.",
    wrong="jobs:\n  2nd try:\n    runs-on: local\n    steps: [{run: make}]\n",
    right="jobs:\n  second-try:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
    phase=Phase.FORM,
)
