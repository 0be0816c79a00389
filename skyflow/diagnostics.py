"""Findings about the user's files: a message, the place it belongs to, and what to do about it.

The user's mistakes are data, not exceptions: they are collected, sorted and shown all at once.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

__all__ = ["Diagnostic", "Severity", "Span", "has_errors", "in_reading_order"]


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The file cannot be used."""
    WARNING = "warning"
    """The file can be used, but it very likely does not mean what its author thinks."""
    HINT = "hint"
    """Accepted, with something the author may want to know."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of a text file; lines and columns count from 1, the end column is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` names the rule (`needs-unknown`), `hint` says what to do. `path` is the file as the user named it. `span` is
    where GitHub reports such a finding; `within`, if any, the very word inside of that value.
    """

    path: str
    span: Span
    code: str
    message: str
    severity: Severity = Severity.ERROR
    hint: str | None = None
    within: Span | None = None

    def __str__(self) -> str:
        """Return the one-line form, `FILE:LINE:COL: message [code]`."""
        return f"{self.path}:{self.span.line}:{self.span.column}: {self.message} [{self.code}]"

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "path": self.path,
            "line": self.span.line,
            "column": self.span.column,
            "end_line": self.span.end_line,
            "end_column": self.span.end_column,
            "severity": self.severity.value,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "within": None if self.within is None else asdict(self.within),
        }


def in_reading_order(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort by file, then position, then code; the same finding is kept once."""
    return tuple(sorted(set(findings), key=lambda d: (d.path, d.span, d.code, d.message)))


def has_errors(findings: Iterable[Diagnostic]) -> bool:
    """Tell whether any finding makes the file unusable."""
    return any(finding.severity is Severity.ERROR for finding in findings)
