"""Where the readers of a workflow file put what they find wrong."""

from dataclasses import dataclass, field, replace

from skyflow.diagnostics import Diagnostic, Severity, Span

__all__ = ["FileRefusedError", "Findings"]


@dataclass(slots=True)
class Findings:
    """The findings about one file so far; `path` is the file as the user named it."""

    path: str
    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, span: Span, message: str, *, hint: str | None = None, within: Span | None = None
    ) -> None:
        """Record something that makes the file unusable."""
        self._add(Diagnostic(self.path, span, code, message, Severity.ERROR, hint, within))

    def warning(
        self, code: str, span: Span, message: str, *, hint: str | None = None, within: Span | None = None
    ) -> None:
        """Record something that very likely does not mean what its author thinks."""
        self._add(Diagnostic(self.path, span, code, message, Severity.WARNING, hint, within))

    def hint(self, code: str, span: Span, message: str, *, hint: str | None = None, within: Span | None = None) -> None:
        """Record something the author may want to know."""
        self._add(Diagnostic(self.path, span, code, message, Severity.HINT, hint, within))

    def _add(self, found: Diagnostic) -> None:
        self.found.append(replace(found, within=None) if found.within == found.span else found)


class FileRefusedError(Exception):
    """Nothing more can be said of this file; the reason is in the findings. Never leaves the package."""
