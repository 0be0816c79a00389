"""What others can write must not become part of a script: a title such as `"; rm -rf ~; "` would be run.

An expression in `run` is put into the script before the shell reads it. In an environment variable it stays a value.
"""

from skyflow.model.workflow import CallInput, DispatchInput, InputType, RunStep, Workflow
from skyflow.spec.checks.subject import Check, Reference, Subject, all_steps
from skyflow.spec.findings import Findings

__all__ = ["CHECK"]

_FREE_TEXT = frozenset(
    {
        "body",
        "default_branch",
        "description",
        "email",
        "head_branch",
        "label",
        "message",
        "name",
        "page_name",
        "ref",
        "title",
    }
)
"""The last parts of paths below `github.event` that anybody can choose."""
_CHECKED_TYPES = frozenset({InputType.BOOLEAN, InputType.NUMBER, InputType.CHOICE})


def _run(subject: Subject, findings: Findings) -> None:
    harmless = _harmless_inputs(subject.workflow)
    for job in subject.workflow.jobs:
        scripts = {step.run.span for step in all_steps(job.steps) if isinstance(step, RunStep)}
        for context in ("github", "inputs"):
            for reference in subject.references(job, context):
                if reference.authored.span in scripts and _is_risky(reference, harmless):
                    name = ".".join((reference.context, *reference.path))
                    message = f"'{name}' becomes part of the script, so whoever sets it can run commands"
                    hint = f'write `env: {{VALUE: ${{{{ {name} }}}}}}` and use "$VALUE" in the script'
                    within = subject.span(reference, 0) if reference.path else None
                    findings.warning(CHECK.code, reference.authored.span, message, hint=hint, within=within)


def _harmless_inputs(workflow: Workflow) -> frozenset[str]:
    """Return the inputs whose value is checked before the run to be one of a few words, or a number."""
    declared: tuple[DispatchInput | CallInput, ...] = (
        *workflow.dispatch,
        *(workflow.call.inputs if workflow.call else ()),
    )
    free = {given.name.lower() for given in declared if given.type not in _CHECKED_TYPES}
    return frozenset(given.name.lower() for given in declared) - free


def _is_risky(reference: Reference, harmless: frozenset[str]) -> bool:
    path = [part.lower() for part in reference.path]
    if reference.context == "inputs":
        return not path or path[0] not in harmless
    if path[:1] == ["head_ref"]:
        return True
    if path[:1] != ["event"] or len(path) < 2:  # noqa: PLR2004 -- something of the event
        return False
    if path[1] == "inputs":
        return len(path) == 2 or path[2] not in harmless  # noqa: PLR2004 -- all of them, or one by name
    return path[1] == "client_payload" or path[-1] in _FREE_TEXT


CHECK = Check(
    code="script-injection",
    summary="Values that others choose reach scripts through the environment.",
    wrong="""\
jobs:
  greet:
    runs-on: local
    steps:
      - run: echo "${{ github.event.issue.title }}"
""",
    right="""\
jobs:
  greet:
    runs-on: local
    steps:
      - run: echo "$TITLE"
        env:
          TITLE: ${{ github.event.issue.title }}
""",
    run=_run,
)
