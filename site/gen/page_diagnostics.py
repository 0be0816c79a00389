"""The rules that workflow files are checked against, each with what a break of it looks like."""

import ast
from collections.abc import Iterator
from pathlib import Path

from markdown_text import code, fence, page, table

import skyflow.spec
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_workflow, render_diagnostic, source_lines
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.checks.subject import Check

__all__ = ["render"]

_FORM = {
    "action-kind": "`runs.using` of an action is not a kind of action.",
    "bad-quantity": "A duration, an amount or a size cannot be read.",
    "clouds-excluded": "`runs-on` and `resources.clouds` leave no provider to run on.",
    "cannot-run": "Warning: the workflow is valid, but skyflow refuses to run it; the hint says what to do instead.",
    "expression": "An expression does not parse, or names something that does not exist at its place.",
    "expression-not-allowed": "There is an expression where none is allowed.",
    "file-empty": "The file holds nothing.",
    "file-not-text": "The file is not UTF-8 text.",
    "file-too-large": "The file is larger than a workflow may be.",
    "no-effect": "Hint: a key of GitHub's is accepted and changes nothing.",
    "peering-ends": "A line of `skyflow.yml` is not between two different clouds.",
    "price-rule": "A price rule of `skyflow.yml` has neither a price nor a discount, or both.",
    "schema-missing-key": "A required key is missing.",
    "schema-unknown-key": "A key is not known at its place.",
    "schema-wrong-value": "A value is of the wrong type, or not one of those allowed.",
    "yaml-alias": "An alias points nowhere, at itself, or at too much.",
    "yaml-documents": "The file holds more than one YAML document.",
    "yaml-duplicate-key": "A key is in a map twice.",
    "yaml-key": "A key of a map is not plain text.",
    "yaml-syntax": "The file is not YAML.",
    "yaml-tag": "A YAML tag is not known, or does not fit its value.",
    "yaml-too-many-nodes": "The file holds more values than a workflow may; aliases count every time.",
    "yaml-too-deep": "Lists and maps are nested too deeply.",
}
"""What the codes mean that are not checks of their own: they are about the form of a file."""

_REPORTERS = frozenset({"error", "warning", "hint", "_refuse", "_report", "add"})


def render() -> str:
    """Return the page."""
    used = sorted(_codes_in_source())
    unknown = [name for name in used if name not in _FORM]
    if unknown:
        raise LookupError(f"page_diagnostics.py does not say what these codes mean: {', '.join(unknown)}")
    parts = [
        (
            "`skyflow validate` prints every finding with its place, the line it stands in, and a hint where there is one: "
            "`FILE:LINE:COLUMN: message [code]`. The place is the one that GitHub names; the mark is below the very word. "
            "Errors keep a workflow from being run; warnings and hints do not, but for `cannot-run`. "
            "`skyflow validate --json` gives the same for programs. Every example below is run when this page is made."
        ),
        "## Form",
        "These are about the file as YAML and the shape of its values:",
        table(("code", "meaning"), [(code(name), _FORM[name]) for name in used]),
        "## Meaning",
        "These are rules of their own; each is one module of `skyflow/spec/checks`.",
    ]
    for check in CHECKS:
        parts += _rule(check)
    return page("Diagnostics", source="`skyflow/spec`", parts=parts)


def _rule(check: Check) -> Iterator[str]:
    yield f"### `{check.code}`"
    yield check.summary
    yield "Wrong:"
    yield fence(check.wrong, "yaml")
    yield fence(_findings(check))
    yield "Right:"
    yield fence(check.right, "yaml")


def _findings(check: Check) -> str:
    """Return what skyflow says of the wrong example."""
    path = "workflow.yml"
    try:
        found = load_workflow(path, text=check.wrong, platform="linux", read=lambda _: None).findings
    except WorkflowInvalidError as error:
        found = error.diagnostics
    lines = source_lines(check.wrong)
    return "\n".join(render_diagnostic(finding, lines) for finding in found if finding.code == check.code)


def _codes_in_source() -> set[str]:
    """Return every code that `skyflow.spec` reports outside of its checks."""
    folder = Path(skyflow.spec.__file__).parent
    found: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _REPORTERS:
                found.update(_code_like(node.args))
    return found


def _code_like(arguments: list[ast.expr]) -> Iterator[str]:
    """Yield the first argument if it looks like a code."""
    first = arguments[0] if arguments else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        words = first.value.split("-")
        if first.value in _FORM or (len(words) > 1 and all(word.isalpha() and word.islower() for word in words)):
            yield first.value
