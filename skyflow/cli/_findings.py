"""Findings about workflow files, shown with the source line they belong to."""

from collections.abc import Iterable
from functools import cache

from skyflow.cli._console import err
from skyflow.diagnostics import Diagnostic, Severity
from skyflow.errors import UsageError, WorkflowInvalidError
from skyflow.spec import render_diagnostic, source_lines
from skyflow.spec.source import read_bytes

__all__ = ["print_findings", "print_warnings"]

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}


def print_findings(findings: Iterable[Diagnostic], *, standard_input: str = "") -> None:
    """Write findings to standard error, each with its source line, a caret and a hint.

    `standard_input` is the text that findings about `-` belong to.
    """
    for finding in findings:
        lines = source_lines(standard_input) if finding.path == "-" else _lines(finding.path)
        headline, _, rest = render_diagnostic(finding, lines).partition("\n")
        err(headline, style=_COLOURS[finding.severity])
        if rest:
            err(rest)


def print_warnings(findings: Iterable[Diagnostic]) -> None:
    """Write those findings that matter to somebody who wants the workflow done; hints are for `skyflow validate`."""
    print_findings(finding for finding in findings if finding.severity is not Severity.HINT)


@cache
def _lines(path: str) -> tuple[str, ...]:
    try:
        return tuple(source_lines(read_bytes(path).decode(errors="replace")))
    except (UsageError, WorkflowInvalidError):  # gone since, a directory, standard input: the finding still says where
        return ()
