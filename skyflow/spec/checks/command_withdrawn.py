"""Some commands that scripts used to print have been withdrawn by GitHub; files took their place."""

import re

from skyflow.model.workflow import RunStep
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings
from skyflow.spec.positions import span_inside

__all__ = ["CHECK"]

_COMMAND = re.compile(r"::(set-output|save-state|set-env|add-path)\b")
_INSTEAD = {
    "set-output": 'echo "name=value" >> "$GITHUB_OUTPUT"',
    "save-state": 'echo "name=value" >> "$GITHUB_STATE"',
    "set-env": 'echo "NAME=value" >> "$GITHUB_ENV"',
    "add-path": 'echo "folder" >> "$GITHUB_PATH"',
}


def _run(subject: Subject, findings: Findings) -> None:
    for job in subject.workflow.jobs:
        for step in all_steps(job.steps):
            if not isinstance(step, RunStep):
                continue
            node = subject.scalars[step.run.span]
            for found in _COMMAND.finditer(node.text):
                within = span_inside(node, subject.workflow.source, *found.span())
                message = f"'{found[0]}' has been withdrawn"
                hint = f"write {_INSTEAD[found[1]]}"
                findings.hint(CHECK.code, step.run.span, message, hint=hint, within=within)


CHECK = Check(
    code="command-withdrawn",
    summary="Scripts answer through files, not through withdrawn commands.",
    wrong="jobs:\n  a:\n    runs-on: local\n    steps: [{run: 'echo \"::set-output name=tag::v1\"'}]\n",
    right="jobs:\n  a:\n    runs-on: local\n    steps: [{run: 'echo tag=v1 >> \"$GITHUB_OUTPUT\"'}]\n",
    run=_run,
)
