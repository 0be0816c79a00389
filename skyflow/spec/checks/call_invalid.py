"""A job that calls a workflow of the same repository passes what that workflow declares, and all that it requires."""

from collections.abc import Iterator, Mapping

from skyflow._util.text import did_you_mean
from skyflow.diagnostics import Severity, Span
from skyflow.errors import WorkflowInvalidError
from skyflow.model.workflow import Authored, CallInterface, CallSpec, InputType, Workflow
from skyflow.spec.checks.permissions import excessive_permissions
from skyflow.spec.checks.subject import Check, Phase, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.parse import Parsed

__all__ = ["CHECK", "MAX_DEPTH"]

MAX_DEPTH = 10
"""How many workflows deep calls may go, the first one included; GitHub's limit."""


def _run(subject: Subject, findings: Findings) -> None:
    """Look at the calls in file order; as on GitHub, the first job with a mistake is the only one reported."""
    for job in subject.workflow.jobs:
        if job.call is None or not job.call.uses.startswith("./"):
            continue
        before = len(findings.found)
        callee = _callee(subject, job.call, findings)
        if callee is not None:
            _check_interface(subject, job.call, callee.workflow, findings)
            for message in excessive_permissions(subject.root, job.id, callee.root):
                findings.error(CHECK.code, job.span, message, hint="GitHub refuses such a call")
            if len(findings.found) == before:
                _check_nesting(subject, job.call, callee.workflow, findings)
        if len(findings.found) > before:
            return


def _callee(subject: Subject, call: CallSpec, findings: Findings) -> Parsed | None:
    try:
        callee = subject.load(call.uses)
    except WorkflowInvalidError as error:
        first = next(found for found in error.diagnostics if found.severity is Severity.ERROR)
        findings.error(CHECK.code, call.span, f"the called workflow has errors; the first is {first}")
        return None
    if callee is None and subject.read is not None:
        hint = "the path counts from the top of the workspace"
        findings.error(CHECK.code, call.span, f"there is no file '{call.uses}'", hint=hint)
    return callee


def _check_interface(subject: Subject, call: CallSpec, callee: Workflow, findings: Findings) -> None:
    if callee.call is None:
        hint = "add `workflow_call:` to its `on:`"
        findings.error(CHECK.code, call.span, "the called workflow has no 'workflow_call' in its 'on'", hint=hint)
        return
    passed = {name.lower(): value for name, value in call.inputs}
    mistakes = (*_input_mistakes(subject, call, callee.call, passed), *_secret_mistakes(call, callee.call))
    for mistake, span in mistakes:
        findings.error(CHECK.code, span, mistake)
    known = {
        "input": [each.name for each in callee.call.inputs],
        "secret": [each.name for each in callee.call.secrets],
    }
    for kind, entries in (("input", call.inputs), ("secret", call.secrets)):
        for name, value in entries:
            if "${{" not in name and name.lower() not in {each.lower() for each in known[kind]}:
                similar = did_you_mean(name, known[kind])
                findings.error(CHECK.code, value.span, f"the called workflow has no {kind} '{name}'", hint=similar)


def _input_mistakes(
    subject: Subject, call: CallSpec, interface: CallInterface, passed: Mapping[str, Authored]
) -> Iterator[tuple[str, Span]]:
    for declared in interface.inputs:
        value = passed.get(declared.name.lower())
        if value is None:
            if declared.required:
                yield f"the input '{declared.name}' is required, but not set in 'with'", call.span
        elif not _has_type(subject, value, declared.type):
            yield f"the input '{declared.name}' is a {declared.type.value}", value.span


def _has_type(subject: Subject, value: Authored, wanted: InputType) -> bool:
    node = subject.scalars[value.span]
    if "${{" in node.key and not value.template.is_literal:
        return True  # only the run can tell
    if wanted is InputType.BOOLEAN:
        return isinstance(node.value, bool)
    return wanted is not InputType.NUMBER or isinstance(node.value, float)


def _secret_mistakes(call: CallSpec, interface: CallInterface) -> Iterator[tuple[str, Span]]:
    passed = {name.lower() for name, _ in call.secrets}
    for declared in () if call.inherit_secrets else interface.secrets:
        if declared.required and declared.name.lower() not in passed:
            yield f"the secret '{declared.name}' is required, but not passed in 'secrets'", call.span


def _check_nesting(subject: Subject, call: CallSpec, callee: Workflow, findings: Findings) -> None:
    """Follow the calls of the called workflow; a circle is the most common way of going too deep."""
    pending: list[tuple[tuple[str, ...], Workflow]] = [((call.uses,), callee)]
    seen = {call.uses}
    while pending:
        way, workflow = pending.pop()
        for job in workflow.jobs:
            uses = job.call.uses if job.call is not None else ""
            if not uses.startswith("./"):
                continue
            if uses in way:
                findings.error(CHECK.code, call.span, f"these calls go in a circle: {' -> '.join((*way, uses))}")
                return
            if len(way) >= MAX_DEPTH - 1:
                findings.error(CHECK.code, call.span, f"workflows call each other more than {MAX_DEPTH} deep")
                return
            inner = _loaded_or_none(subject, uses)
            if inner is not None and uses not in seen:
                seen.add(uses)
                pending.append(((*way, uses), inner))


def _loaded_or_none(subject: Subject, uses: str) -> Workflow | None:
    try:
        loaded = subject.load(uses)
    except WorkflowInvalidError:
        return None  # reported where that file is looked at
    return None if loaded is None else loaded.workflow


CHECK = Check(
    code="call-invalid",
    summary="A called workflow exists, can be called, and gets the inputs and secrets it declares.",
    wrong="""\
jobs:
  test:
    uses: ./missing.yml
""",
    right="jobs:\n  test:\n    runs-on: local\n    steps: [{run: make test}]\n",
    run=_run,
    phase=Phase.CALLS,
)
