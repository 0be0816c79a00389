"""A shell is one of GitHub's built-in ones, or a command line with a place for the script."""

from collections.abc import Iterator

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.model.workflow import Authored, RunStep, Workflow
from skyflow.spec.checks.subject import Check, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_BUILT_IN = ("bash", "sh", "python", "pwsh", "powershell", "cmd")


def _run(subject: Subject, findings: Findings) -> None:
    for shell in _shells(subject.workflow):
        if not shell.template.is_literal:
            continue
        name = shell.template.text({})
        if name.lower() not in _BUILT_IN and "{0}" not in name:
            otherwise = f"use {sentence_list(_BUILT_IN, conjunction='or')}, or a command line such as 'perl {{0}}'"
            message = f"'{name}' is not a shell, and has no '{{0}}' for the script"
            findings.warning(CHECK.code, shell.span, message, hint=did_you_mean(name, _BUILT_IN, otherwise=otherwise))


def _shells(workflow: Workflow) -> Iterator[Authored]:
    for job in workflow.jobs:
        yield from (step.shell for step in all_steps(job.steps) if isinstance(step, RunStep) and step.shell is not None)
    for defaults in (workflow.defaults, *(job.defaults for job in workflow.jobs)):
        if defaults.shell is not None:
            yield defaults.shell


CHECK = Check(
    code="shell-unknown",
    summary="A shell is a built-in one, or a command line with `{0}` where the name of the script goes.",
    wrong="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make, shell: bahs}]\n",
    right="jobs:\n  build:\n    runs-on: local\n    steps: [{run: make, shell: 'bash -x {0}'}]\n",
    run=_run,
)
