"""Findings as commands that GitHub's runner turns into annotations of a pull request."""

from skyflow.diagnostics import Diagnostic, Severity

__all__ = ["to_annotation"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.HINT: "notice"}


def to_annotation(finding: Diagnostic) -> str:
    """Return one line: `::error file=...,line=...,col=...,title=...::message`."""
    span = finding.span
    properties = {
        "file": finding.path,
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
        "endColumn": span.end_column,
        "title": finding.code,
    }
    if span.end_line != span.line:
        del properties["endColumn"]  # GitHub wants it on one line only
    shown = ",".join(f"{name}={_escaped(str(value), also=':,')}" for name, value in properties.items())
    text = finding.message if finding.hint is None else f"{finding.message}\nhint: {finding.hint}"
    return f"::{_COMMANDS[finding.severity]} {shown}::{_escaped(text)}"


def _escaped(text: str, *, also: str = "") -> str:
    for character in f"%\r\n{also}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
