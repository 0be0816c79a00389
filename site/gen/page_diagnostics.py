"""The codes of findings: an overview, and a page for each with what a break of it looks like."""

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from markdown_text import code, fence, page, table

import skyflow.spec
from skyflow.diagnostics import Diagnostic
from skyflow.errors import WorkflowInvalidError
from skyflow.spec import load_action, load_workflow, render_diagnostic, source_lines
from skyflow.spec.checks.registry import CHECKS
from skyflow.spec.checks.subject import Check
from skyflow.spec.form_rules import FORM_RULES, FormRule

__all__ = ["PAGES", "render"]

_REPORTERS = frozenset({"error", "warning", "hint", "_refuse", "_report", "add"})
_RULES: tuple[Check | FormRule, ...] = (*CHECKS, *FORM_RULES)
_FORM = {rule.code: rule for rule in FORM_RULES}
_MOST_LINES = 12


def render() -> str:
    """Return the overview."""
    used = _codes_in_source()
    if used != set(_FORM):
        raise LookupError(f"form_rules.py and the codes in skyflow/spec differ: {', '.join(sorted(used ^ set(_FORM)))}")
    parts = [
        (
            "`skyflow validate` prints every finding with its place, the line it stands in, and a hint where there is one: "
            "`FILE:LINE:COLUMN: message [code]`. The place is the one that GitHub names; the mark is below the very word. "
            "Errors keep a workflow from being run; warnings and hints do not, but for `cannot-run`. "
            "`skyflow validate --json` gives the same for programs. Every code has a page with a wrong and a right "
            "example; all of them are run in the tests."
        ),
        "## Form",
        "These are about the file as YAML and the shape of its values:",
        _index(FORM_RULES),
        "## Meaning",
        "These are rules of their own; each is one module of `skyflow/spec/checks`.",
        _index(CHECKS),
    ]
    return page("Diagnostics", source="`skyflow/spec`", parts=parts)


def _index(rules: tuple[Check, ...] | tuple[FormRule, ...]) -> str:
    rows = [(f"[{code(rule.code)}](diagnostics/{rule.code}.md)", rule.summary) for rule in rules]
    return table(("code", "meaning"), rows)


def _render_rule(rule: Check | FormRule) -> str:
    """Return the page of one code."""
    is_action = isinstance(rule, FormRule) and rule.is_action
    shown = _shown(rule.wrong)
    parts = [
        rule.summary,
        "Wrong:",
        fence(shown, "yaml" if shown == rule.wrong else "text"),
        fence(_findings(rule.code, rule.wrong, is_action=is_action)),
        "Right:",
        fence(rule.right, "yaml"),
        "[All codes](../diagnostics.md)",
    ]
    where = "form_rules.py" if isinstance(rule, FormRule) else f"checks/{rule.code.replace('-', '_')}.py"
    return page(code(rule.code), source=f"`skyflow/spec/{where}`", parts=parts)


PAGES = {
    f"reference/diagnostics/{rule.code}.md": partial(_render_rule, rule)
    for rule in sorted(_RULES, key=lambda rule: rule.code)
}
"""The page of each code, by its path below `site/docs`."""


def _shown(example: str | bytes) -> str:
    """Return an example as text; a very long one is cut."""
    text = example.decode(errors="replace") if isinstance(example, bytes) else example
    lines = text.splitlines()
    if len(lines) <= _MOST_LINES * 2:
        return text
    return "\n".join([*lines[:_MOST_LINES], f"# ... and {len(lines) - _MOST_LINES:,} lines more"])


def _findings(wanted: str, wrong: str | bytes, *, is_action: bool) -> str:
    """Return what skyflow says of a wrong example."""
    found = _read_action(wrong) if is_action else _read_workflow(wrong)
    text = wrong.decode(errors="replace") if isinstance(wrong, bytes) else wrong
    lines = source_lines(text)
    return "\n".join(render_diagnostic(finding, lines) for finding in found if finding.code == wanted)


def _read_workflow(text: str | bytes) -> tuple[Diagnostic, ...]:
    try:
        loaded = load_workflow("workflow.yml", text=text, platform="linux", read=lambda _: None)
    except WorkflowInvalidError as error:
        return error.diagnostics
    return (*loaded.findings, *loaded.refusals)


def _read_action(text: str | bytes) -> tuple[Diagnostic, ...]:
    try:
        load_action("action.yml", text)
    except WorkflowInvalidError as error:
        return error.diagnostics
    return ()


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
