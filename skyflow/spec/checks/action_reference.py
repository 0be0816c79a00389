"""A local action exists, is given the inputs it declares, and has nothing that cannot be run.

An earlier step may create it, so that it is not there yet is no more than a hint. A folder that stands for an action of
another repository is looked at likewise.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from skyflow._util.text import did_you_mean
from skyflow.diagnostics import Severity
from skyflow.errors import WorkflowInvalidError
from skyflow.model.action import CompositeRuns, DockerRuns, NodeRuns
from skyflow.model.workflow import INSERT, UsesStep
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings
from skyflow.spec.uses import is_remote
from skyflow.spec.workspace import ACTION_FILES, ReadFile, is_action_folder, reader_for

if TYPE_CHECKING:
    from skyflow.model.action import Action

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    if subject.read is None:
        return
    for job in subject.workflow.jobs:
        for step in all_steps(job.steps):
            if not isinstance(step, UsesStep):
                continue
            folder = subject.folder_of(step.uses) if is_remote(step.uses) else None
            if step.uses.startswith(("./", "$/")):
                _check(subject, step, reader=subject.read, folder=step.uses[2:].strip("/"), findings=findings)
            elif folder is not None and is_action_folder(folder):
                _check(subject, step, reader=reader_for(Path(folder)), folder="", findings=findings)


def _check(subject: Subject, step: UsesStep, *, reader: ReadFile, folder: str, findings: Findings) -> None:
    try:
        action = _action(reader, folder)
    except WorkflowInvalidError as error:
        first = next(found for found in error.diagnostics if found.severity is Severity.ERROR)
        findings.warning(CHECK.code, step.uses_span, f"this action has errors; the first is {first}")
        return
    if action is None:
        hint = "it has to be there when the step runs: a folder with an action.yml, by its path in the workspace"
        findings.hint(CHECK.code, step.uses_span, f"there is no action '{step.uses}' yet", hint=hint)
        return
    _check_runs(subject, step, action, findings)
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


def _check_runs(subject: Subject, step: UsesStep, action: "Action", findings: Findings) -> None:
    """Tell what of an action is not run here."""
    if isinstance(action.runs, DockerRuns):
        message = f"the action '{step.uses}' is a container image, which skyflow cannot run"
        hint = "write its commands in steps, with the image as the `container` of the job"
        findings.warning(CHECK.code, step.uses_span, message, hint=hint)
    elif isinstance(action.runs, NodeRuns) and action.runs.has_pre:
        message = f"what the action '{step.uses}' has in `pre` is not run"
        hint = "nor does GitHub run it for an action of the workspace; do it at the beginning of `main`"
        if is_remote(step.uses):
            hint = "GitHub runs it before the first step of the job; do what it does in a step of your own"
        findings.warning(CHECK.code, step.uses_span, message, hint=hint)
    for each in action.runs.steps if isinstance(action.runs, CompositeRuns) else ():
        if isinstance(each, UsesStep) and is_remote(each.uses) and subject.folder_of(each.uses) is None:
            message = f"the action '{step.uses}' uses '{each.uses}' of another repository, which skyflow cannot run"
            place = f"{action.path}:{each.uses_span.line}:{each.uses_span.column}"
            hint = f"it is at {place}; keep a copy, and name its folder under `actions` in skyflow.yml"
            findings.warning(CHECK.code, step.uses_span, message, hint=hint)


def _action(read: ReadFile, folder: str) -> "Action | None":
    from skyflow.spec.action import load  # noqa: PLC0415 -- most workflows use no local action

    for file in ACTION_FILES:
        path = f"{folder}/{file}" if folder else file
        content = read(path)
        if content is not None:
            return load(path, content)
    return None


CHECK = Check(
    code="action-reference",
    summary="Local actions exist, get the inputs they declare, and have nothing that cannot be run.",
    wrong="jobs:\n  a:\n    runs-on: local\n    steps: [{uses: ./missing}]\n",
    right="jobs:\n  a:\n    runs-on: local\n    steps: [{run: make}]\n",
    run=_run,
)
