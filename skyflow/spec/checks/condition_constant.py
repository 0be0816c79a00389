"""A condition with text around its `${{ }}` is a text, and every text but the empty one counts as true."""

from skyflow.model.workflow import Authored
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        conditions: list[Authored] = [job.condition, *(step.condition for step in all_steps(job.steps))]
        for condition in conditions:
            if condition.template.is_mixed:
                message = "this condition is always true, because there is text around its ${{ }}"
                hint = "put the whole condition into one ${{ }}, or leave ${{ }} out"
                findings.warning(CHECK.code, condition.span, message, hint=hint)


CHECK = Check(
    code="condition-constant",
    summary="A condition is one expression, without text around it.",
    wrong="""\
jobs:
  test:
    runs-on: local
    if: ${{ github.actor }} == 'octocat'
    steps: [{run: make test}]
""",
    right="""\
jobs:
  test:
    runs-on: local
    if: ${{ github.actor == 'octocat' }}
    steps: [{run: make test}]
""",
    run=_run,
)
