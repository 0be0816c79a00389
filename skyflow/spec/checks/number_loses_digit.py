"""An unquoted version such as 3.10 is a number to YAML, and as text it is 3.1."""

import re
from collections.abc import Iterator

from skyflow.expr import to_string
from skyflow.model.workflow import Authored, UsesStep, Workflow
from skyflow.spec.checks.subject import Check, Subject, all_steps, leaves
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import ScalarStyle

__all__ = ["CHECK"]

_ENDS_IN_ZERO = re.compile(r"[0-9]+\.[0-9]*0")


def _run(subject: Subject, findings: Findings) -> None:
    for authored in _texts(subject.workflow):
        node = subject.scalars[authored.span]
        if node.style is ScalarStyle.PLAIN and isinstance(node.value, float) and _ENDS_IN_ZERO.fullmatch(node.text):
            message = f"{node.text} is a number here, so its last digit is lost: it becomes '{to_string(node.value)}'"
            findings.warning(CHECK.code, node.span, message, hint=f"write '{node.text}' in quotes")


def _texts(workflow: Workflow) -> Iterator[Authored]:
    """Yield the values that end up as text: environment variables and the values of a matrix."""
    yield from (value for _, value in workflow.env)
    for job in workflow.jobs:
        yield from (value for _, value in (*job.env, *job.outputs))
        yield from leaves(job.strategy.matrix)
        for step in all_steps(job.steps):
            yield from (value for _, value in step.env)
            if isinstance(step, UsesStep):
                yield from (value for _, value in step.inputs)


CHECK = Check(
    code="number-loses-digit",
    summary="Versions are in quotes, so that 3.10 does not become 3.1.",
    wrong="""\
jobs:
  test:
    strategy:
      matrix: {python: [3.9, 3.10]}
    runs-on: local
    steps: [{run: make test}]
""",
    right="""\
jobs:
  test:
    strategy:
      matrix: {python: ['3.9', '3.10']}
    runs-on: local
    steps: [{run: make test}]
""",
    run=_run,
)
