"""A local action exists, is given the inputs it declares, and uses nothing that cannot be run.

An earlier step may create it, so that it is not there yet is no more than a hint.
"""

from typing import TYPE_CHECKING

from skyflow._util.text import did_you_mean
from skyflow.diagnostics import Severity
from skyflow.errors import WorkflowInvalidError
from skyflow.model.action import CompositeRuns
from skyflow.model.workflow import INSERT, UsesStep
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings
from skyflow.spec.uses import is_remote

if TYPE_CHECKING:
    from skyflow.model.action import Action

__all__ = ["CHECK"]

_FILES = ("action.yml", "action.yaml")


def _run(subject: Subject, findings: Findings) -> None:
    if subject.read is None:
        return
    for job in subject.workflow.jobs:
        for step in all_steps(job.steps):
            if isinstance(step, UsesStep) and step.uses.startswith(("./", "$/")):
                _check(subject, step, findings)


def _check(subject: Subject, step: UsesStep, findings: Findings) -> None:
    try:
        action = _action(subject, step.uses)
    except WorkflowInvalidError as error:
        first = next(found for found in error.diagnostics if found.severity is Severity.ERROR)
        findings.warning(CHECK.code, step.uses_span, f"this action has errors; the first is {first}")
        return
    if action is None:
        hint = "it has to be there when the step runs: a folder with an action.yml, by its path in the workspace"
        findings.hint(CHECK.code, step.uses_span, f"there is no action '{step.uses}' yet", hint=hint)
        return
    inner = action.runs.steps if isinstance(action.runs, CompositeRuns) else ()
    for each in inner:
        if isinstance(each, UsesStep) and is_remote(each.uses):
            message = f"the action '{step.uses}' uses '{each.uses}' of another repository, which skyflow cannot run"
            hint = f"it is at {action.path}:{each.uses_span.line}:{each.uses_span.column}; keep a copy in the workspace"
            findings.warning(CHECK.code, step.uses_span, message, hint=hint)
    known = [declared.name for declared in action.inputs]
    passed = {name.lower() for name, _ in step.inputs}
    for name, value in step.inputs:
        if "${{" not in name and name.lower() not in {each.lower() for each in known}:
            message = f"the action '{step.uses}' has no input '{name}'"
            findings.warning(CHECK.code, value.span, message, hint=did_you_mean(name, known))
    for declared in action.inputs:
        if declared.required and declared.default is None and not passed & {declared.name.lower(), INSERT.lower()}:
            message = f"the action '{step.uses}' wants the input '{declared.name}'"
            findings.warning(CHECK.code, step.uses_span, message, hint="set it in 'with'")


def _action(subject: Subject, uses: str) -> "Action | None":
    from skyflow.spec.action import load  # noqa: PLC0415 -- most workflows use no local action

    folder = uses[2:].strip("/")
    for file in _FILES:
        path = f"{folder}/{file}" if folder else file
        content = subject.read(path) if subject.read is not None else None
        if content is not None:
            return load(path, content)
    return None


CHECK = Check(
    code="action-reference",
    summary="Local actions exist, get the inputs they declare, and use no actions of other repositories.",
    wrong="jobs:\n  a:\n    runs-on: local\n    steps: [{uses: ./missing}]\n",
    right="jobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
)
