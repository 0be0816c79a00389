"""What a YAML syntax error means, in words and at the place where its author can mend it.

The scanner reports where it gave up, in terms of its grammar. The rules below name the usual mistake behind each of its
complaints; a complaint that no rule knows is passed on as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError, StringMark

from skyflow.diagnostics import Span
from skyflow.spec.source import source_lines
from skyflow.spec.yaml_scanner import GLUED_COMMENT, WRONG_INDENTATION

__all__ = ["Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A syntax error, ready to become a finding."""

    span: Span
    message: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What the scanner said, and where; `context` is where it began to read what it could not finish."""

    problem: str
    context: str
    at: StringMark
    since: StringMark
    line: str


_Rule = Callable[[_Complaint], Explanation | None]


def explain(error: MarkedYAMLError, text: str) -> Explanation:
    """Return the mistake behind an error of the scanner or parser."""
    lines = source_lines(text)
    at: StringMark = error.problem_mark or error.context_mark
    complaint = _Complaint(
        problem=str(error.problem or error.context or error),
        context=str(error.context or ""),
        at=at,
        since=error.context_mark or at,
        line=lines[at.line] if at.line < len(lines) else "",
    )
    for rule in _RULES:
        explanation = rule(complaint)
        if explanation is not None:
            return explanation
    return Explanation(_point(complaint.at), complaint.problem, None)


def _tab(said: _Complaint) -> Explanation | None:
    if "'\\t'" not in said.problem:
        return None
    return Explanation(_point(said.at), "a tab cannot be used here", "indent with spaces; YAML does not allow tabs")


def _unclosed_quote(said: _Complaint) -> Explanation | None:
    unfinished = said.problem.startswith(("found unexpected end", "found unexpected document"))
    if not unfinished or "quoted scalar" not in said.context:
        return None
    return Explanation(_point(said.since), "this quote is never closed", "add the same quote where the text ends")


def _quoted_line(said: _Complaint) -> Explanation | None:
    if said.problem != WRONG_INDENTATION:
        return None
    message = "this line, in double quotes, is not indented more than the key they belong to"
    return Explanation(_point(said.at), message, "indent it further, or begin the value with '|' and no quotes")


def _glued_comment(said: _Complaint) -> Explanation | None:
    if said.problem != GLUED_COMMENT:
        return None
    return Explanation(_point(said.at), "a comment must have a blank in front of it", "put a space before the '#'")


def _escape(said: _Complaint) -> Explanation | None:
    if "escape" not in said.problem and "hexadecimal" not in said.problem:
        return None
    hint = "in double quotes a backslash starts an escape such as \\n; write \\\\, or use single quotes"
    return Explanation(_point(said.at), "this escape after the backslash is not one that YAML knows", hint)


def _colon_in_value(said: _Complaint) -> Explanation | None:
    if said.problem != "mapping values are not allowed here":
        return None
    hint = "text that holds ': ' must be in quotes; if this is a key, check the indentation of its line"
    return Explanation(_point(said.at), "a ':' is not allowed here", hint)


def _missing_colon(said: _Complaint) -> Explanation | None:
    if said.problem != "could not find expected ':'":
        return None
    return Explanation(_point(said.since), "expected 'key: value', found no ':'", "add ': ' and a value after the key")


def _list_item(said: _Complaint) -> Explanation | None:
    if said.problem != "sequence entries are not allowed here":
        return None
    hint = "start each '- ' on a line of its own below the key"
    return Explanation(_point(said.at), "a list item cannot start here", hint)


def _indentation(said: _Complaint) -> Explanation | None:
    if not said.problem.startswith("expected <block end>"):
        return None
    if said.line[: said.at.column].strip():
        message = "nothing may follow the value on this line"
        return Explanation(_point(said.at), message, "put the whole value in quotes, not a part of it")
    column = said.since.column
    what = "list" if "collection" in said.context else "map"
    hint = f"the {what} began at line {said.since.line + 1}; its lines must all start in column {column + 1}"
    return Explanation(_point(said.at), "this line does not fit the lines before it", hint)


def _flow(said: _Complaint) -> Explanation | None:
    if not said.problem.startswith("expected ',' or"):
        return None
    what, close = ("list", "]") if "sequence" in said.context else ("map", "}")
    message = f"expected ',' or '{close}' in the {what} that starts at line {said.since.line + 1}"
    hint = "inside [ ] and { }, a value with ${{ }} must be in quotes" if "${{" in said.line else None
    return Explanation(_point(said.at), message, hint)


def _block_header(said: _Complaint) -> Explanation | None:
    if not said.problem.startswith("expected chomping or indentation"):
        return None
    message = "text cannot stand on the same line as the '|' or '>' before it"
    return Explanation(_point(said.at), message, "start the text on the next line, further in than the key")


def _stray_bracket(said: _Complaint) -> Explanation | None:
    if not said.problem.startswith("expected the node content"):
        return None
    found = said.line[said.at.column : said.at.column + 1]
    return Explanation(_point(said.at), f"expected a value, found '{found}'", "put the value in quotes, if it is text")


def _first_character(said: _Complaint) -> Explanation | None:
    if "cannot start any token" not in said.problem:
        return None
    character = said.line[said.at.column : said.at.column + 1]
    return Explanation(_point(said.at), f"a value cannot start with '{character}'", "put the value in quotes")


_RULES: tuple[_Rule, ...] = (
    _tab,
    _unclosed_quote,
    _quoted_line,
    _glued_comment,
    _escape,
    _colon_in_value,
    _missing_colon,
    _list_item,
    _indentation,
    _flow,
    _block_header,
    _stray_bracket,
    _first_character,
)


def _point(mark: StringMark) -> Span:
    return Span(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
