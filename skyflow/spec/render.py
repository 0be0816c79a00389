"""How a finding is shown to a person: the place, the line of the file, a mark below it, and what to do.

    deploy.yml:7:5: unknown key 'stpes' in job 'build' [schema-unknown-key]
        stpes:
        ^~~~~
    hint: did you mean 'steps'?

Plain text; colours are the command line's business.
"""

from collections.abc import Sequence

from skyflow.diagnostics import Diagnostic, Severity, Span

__all__ = ["render_diagnostic"]

_TAB = "    "
_MAX_WIDTH = 120
_LEAD = 40  # how much of a long line is kept before the mark
_INDENT = "    "


def render_diagnostic(diagnostic: Diagnostic, source_lines: Sequence[str]) -> str:
    """Return the finding as plain text of up to four lines.

    The place is the one GitHub names; the mark is below the very word, where that is known. `source_lines` is the file,
    split as `skyflow.spec.source_lines` does; where it does not have the line, the finding is shown without it.
    """
    span = diagnostic.span
    severity = "" if diagnostic.severity is Severity.ERROR else f"{diagnostic.severity.value}: "
    message = f"{severity}{diagnostic.message} [{diagnostic.code}]"
    parts = [f"{diagnostic.path}:{span.line}:{span.column}: {message}"]
    marked = diagnostic.within or span
    if 0 < marked.line <= len(source_lines) and source_lines[marked.line - 1].strip():
        parts.extend(_INDENT + line for line in _marked(source_lines[marked.line - 1], marked))
    if diagnostic.hint is not None:
        parts.append(f"hint: {diagnostic.hint}")
    return "\n".join(parts)


def _marked(line: str, span: Span) -> tuple[str, str]:
    """Return the line and a mark below the span; a span that goes on in later lines is marked to the end of this one."""
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first, window = max(0, start - _LEAD), line
    if len(line) > _MAX_WIDTH:
        window = line[first : first + _MAX_WIDTH]
        start, end = start - first, min(end - first, len(window))
    else:
        first = 0
    shown = "".join(map(_printable, window))
    mark = " " * _width(window[:start]) + "^" + "~" * max(0, _width(window[start:end]) - 1)
    before, after = "..." if first else "", "..." if first + len(window) < len(line) else ""
    return (before + shown + after).rstrip(), " " * len(before) + mark


def _printable(character: str) -> str:
    if character == "\t":
        return _TAB
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"


def _width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if character == "\t":
        return len(_TAB)
    if character.isascii():
        return 1
    import unicodedata  # noqa: PLC0415 -- megabytes that few files need

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
