"""An input has a type, and a default of that type; a choice has options."""

from collections.abc import Iterator

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.model.workflow import DispatchInput, InputType
from skyflow.spec.checks.subject import Check, Subject
from skyflow.spec.findings import Findings
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, find

__all__ = ["CHECK"]


def _run(subject: Subject, findings: Findings) -> None:
    for declared in subject.workflow.dispatch:
        node = find(subject.root, ("on", "workflow_dispatch", "inputs", declared.name))
        if isinstance(node, MappingNode):
            for key, message, hint in _mistakes(declared, node):
                findings.warning(CHECK.code, node.entries[key].value.span, message, hint=hint)
            if declared.type is InputType.CHOICE and not declared.options:
                message = f"the input '{declared.name}' is a choice without options"
                findings.warning(CHECK.code, declared.span, message, hint="add `options: [...]`")


def _mistakes(declared: DispatchInput, node: MappingNode) -> Iterator[tuple[str, str, str | None]]:
    """Yield the key of each wrong value, what is wrong and what to do."""
    kind = _text(node.get("type"))
    if kind is not None and kind not in set(InputType):
        known = [each.value for each in InputType]
        hint = did_you_mean(kind, known, otherwise=f"the types are {sentence_list(known)}")
        yield "type", f"'{kind}' is no type of an input", hint
        return
    default = declared.default
    if default is None:
        return
    shown = _text(node.get("default"))
    if declared.type is InputType.CHOICE and declared.options and str(default) not in declared.options:
        yield "default", f"'{shown}' is not one of the options", did_you_mean(str(default), declared.options)
    if declared.type is InputType.BOOLEAN and not isinstance(default, bool) and shown not in {"true", "false"}:
        yield "default", f"'{shown}' is neither true nor false", None
    if declared.type is InputType.NUMBER and not isinstance(default, float) and not _is_number(shown or ""):
        yield "default", f"'{shown}' is no number", None


def _text(node: Node | None) -> str | None:
    return node.key if isinstance(node, ScalarNode) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


CHECK = Check(
    code="input-invalid",
    summary="Inputs of `workflow_dispatch` have a known type, and a default that fits it.",
    wrong="""\
on:
  workflow_dispatch:
    inputs:
      place: {type: choice, options: [test, live], default: tset}
jobs:
  a:
    runs-on: local
    steps: [{run: make}]
""",
    right="""\
on: workflow_dispatch
jobs:
  a:
    runs-on: local
    steps: [{run: make}]
""",
    run=_run,
)
