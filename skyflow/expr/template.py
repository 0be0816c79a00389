"""Text with `${{ }}` in it: the values of a workflow file.

A value that is one expression and nothing else keeps the expression's type. Any text around it, even a line break,
makes the whole a string: it becomes a call of `format`, which is also how GitHub stores it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

from skyflow.errors import ExpressionError
from skyflow.expr.ast import Call, Expr, Literal, Logical
from skyflow.expr.evaluate import evaluate
from skyflow.expr.formatting import escape_format
from skyflow.expr.functions import BUILTINS, MAX_ARGS, FunctionSpec
from skyflow.expr.parser import check_depth, check_length, parse
from skyflow.expr.printer import quote
from skyflow.expr.references import calls
from skyflow.expr.text import WHITESPACE
from skyflow.expr.values import Value, to_string, truthy

__all__ = [
    "STATUS_FUNCTIONS",
    "TEMPLATE_MAX_MEMORY",
    "Condition",
    "Template",
    "is_insert",
    "parse_condition",
    "parse_template",
]

TEMPLATE_MAX_MEMORY: Final = 10 << 20
"""10 MiB: templates get more memory than bare expressions."""

STATUS_FUNCTIONS: Final = frozenset({"success", "failure", "always", "cancelled"})
"""The functions that ask how things went so far, lower-case."""

_OPEN: Final = "${{"
_CLOSE: Final = "}}"
_INSERT: Final = "insert"
_NOT_CLOSED: Final = (
    "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."
)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed scalar.

    Equality looks at the source and the tree. Spans in the tree are offsets into `source`.
    """

    source: str
    expr: Expr
    """What to evaluate: the one expression, a `format` call for mixed text, or a string literal for plain text."""
    is_mixed: bool = field(default=False)
    """There is text around the expressions, so the value is a string whatever they yield."""

    @property
    def is_literal(self) -> bool:
        """Whether the value is known text: there was no expression, or it was just a quoted string."""
        return isinstance(self.expr, Literal) and isinstance(self.expr.value, str)

    def evaluate(self, context: Mapping[str, Value], *, functions: Mapping[str, FunctionSpec] = BUILTINS) -> Value:
        """Return the value, of whatever kind."""
        return evaluate(self.expr, context, functions=functions, max_memory=TEMPLATE_MAX_MEMORY)

    def text(self, context: Mapping[str, Value], *, functions: Mapping[str, FunctionSpec] = BUILTINS) -> str:
        """Return the value as a place that takes strings sees it."""
        return to_string(self.evaluate(context, functions=functions))


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed `if`."""

    source: str
    expr: Expr
    """What to evaluate, the implied `success()` included."""
    is_mixed: bool = field(default=False)
    """There is text around `${{ }}`, so the condition is a string and hence always true: surely a mistake."""

    def holds(self, context: Mapping[str, Value], *, functions: Mapping[str, FunctionSpec]) -> bool:
        """Evaluate to yes or no; `functions` must have the status functions."""
        return truthy(evaluate(self.expr, context, functions=functions, max_memory=TEMPLATE_MAX_MEMORY))


class _Segment(NamedTuple):
    """A piece of a scalar: literal text, or the inside of `${{ }}` without the blanks around it."""

    text: str
    start: int
    is_expression: bool


def parse_template(
    text: str, *, names: Collection[str] | None = None, functions: Mapping[str, FunctionSpec] = BUILTINS
) -> Template:
    """Parse a scalar that may hold expressions.

    Raises:
        ExpressionError: With GitHub's message. Its position counts from the start of the expression; `start` and
            `end` are offsets into the whole text.
    """
    if _OPEN not in text:
        return Template(text, Literal(text, 0, len(text)))
    parts: list[tuple[_Segment, Expr | None]] = []
    end = 0
    while end < len(text):
        segment, end = _next_segment(text, end)
        expr = _parse_segment(segment, text, end, names, functions) if segment.is_expression else None
        parts.append((segment, expr))
    if len(parts) == 1 and parts[0][1] is not None:
        return Template(text, parts[0][1])
    return Template(text, _format_call(parts, len(text)), is_mixed=True)


def _next_segment(text: str, position: int) -> tuple[_Segment, int]:
    """Return the segment at a position and where the one after it starts."""
    opening = text.find(_OPEN, position)
    if opening != position:
        end = len(text) if opening < 0 else opening
        return _Segment(text[position:end], position, is_expression=False), end
    start = position + len(_OPEN)
    end = _closing(text, start)
    if end < 0:
        raise ExpressionError(_NOT_CLOSED, start=position, end=len(text))
    inside = text[start:end]
    trimmed = inside.strip(WHITESPACE)
    if not trimmed:
        raise ExpressionError("An expression was expected", start=position, end=end + len(_CLOSE))
    start += len(inside) - len(inside.lstrip(WHITESPACE))
    return _Segment(trimmed, start, is_expression=True), end + len(_CLOSE)


def _closing(text: str, start: int) -> int:
    """Return where the `}}` that ends an expression is, or -1; quoted text cannot end it."""
    while True:
        end = text.find(_CLOSE, start)
        quotes = text.count("'", start, end) if end >= 0 else 0
        if end < 0 or quotes % 2 == 0:
            return end
        start = text.find("'", end)
        if start < 0:
            return -1
        start += 1


def _parse_segment(
    segment: _Segment,
    text: str,
    end: int,
    names: Collection[str] | None,
    functions: Mapping[str, FunctionSpec],
) -> Expr:
    parameters = _insert_parameters(segment.text)
    if parameters is None:
        # A segment is never blank, so there is always a tree.
        return cast("Expr", parse(segment.text, names=names, functions=functions, offset=segment.start))
    if parameters:
        message = (
            f"Exactly 0 parameter(s) were expected following the directive '{_INSERT}'. "
            f"Actual parameter count: {parameters}"
        )
    elif text.startswith(_OPEN) and end == len(text):
        message = f"Unexpected value '${{{{ {_INSERT} }}}}'"
    else:
        message = (
            f"The directive '{_INSERT}' is not allowed in this context. Directives are not supported for expressions "
            "that are embedded within a string. Directives are only supported when the entire value is an expression."
        )
    raise ExpressionError(message, start=segment.start, end=segment.start + len(segment.text))


def _insert_parameters(expression: str) -> int | None:
    """Return how many words follow the `insert` directive, or None if the expression is not that directive.

    A word ends at white space outside quotes and parentheses.
    """
    rest = expression.removeprefix(_INSERT)
    if rest == expression or (rest and rest[0] not in WHITESPACE):
        return None
    words = 0
    in_word = in_string = False
    parentheses = 0
    for letter in rest:
        if letter in WHITESPACE and not in_string and parentheses == 0:
            in_word = False
            continue
        words += not in_word
        in_word = True
        if letter == "'":
            in_string = not in_string
        elif not in_string:
            parentheses += (letter == "(") - (letter == ")")
    return words


def is_insert(text: str) -> bool:
    """Tell whether a mapping key is `${{ insert }}`, which merges its value into the mapping."""
    inside = text.removeprefix(_OPEN).removesuffix(_CLOSE)
    return len(inside) == len(text) - len(_OPEN) - len(_CLOSE) and inside.strip(WHITESPACE) == _INSERT


def _format_call(parts: list[tuple[_Segment, Expr | None]], length: int) -> Expr:
    """Build the call of `format` that mixed text means, within the limits of an expression of its own."""
    pattern = ""
    args: list[Expr] = []
    written = ""
    for segment, expr in parts:
        if expr is None:
            pattern += escape_format(segment.text)
        else:
            pattern += f"{{{len(args)}}}"
            args.append(expr)
            written += f", {segment.text}"
    whole = f"format({quote(pattern)}{written})"
    check_length(whole)
    if len(args) >= MAX_ARGS:
        raise ExpressionError(
            f"Too many parameters supplied: '('. Located at position {len('format(')} within expression: {whole}",
            start=0,
            end=length,
        )
    call = Call("format", (Literal(pattern, 0, length), *args), 0, length)
    check_depth(call)
    return call


def parse_condition(
    text: str, *, names: Collection[str] | None = None, functions: Mapping[str, FunctionSpec] = BUILTINS
) -> Condition:
    """Parse an `if`, with or without `${{ }}` around it.

    A blank condition is `success()`. One that calls none of the status functions, anywhere, gets `success() &&` put
    before it; those functions need not be in `functions` for that.

    Raises:
        ExpressionError: As `parse_template`.
    """
    template = parse_template(text, names=names, functions=functions)
    expr: Expr | None = template.expr
    if isinstance(expr, Literal) and isinstance(expr.value, str):
        # Plain text is the expression itself. So is a quoted string in `${{ }}`, which is folded to text first.
        offset = 0 if _OPEN not in text else expr.start + 1
        expr = parse(expr.value, names=names, functions=functions, offset=offset)
    if expr is None:
        return Condition(text, Call("success", (), 0, len(text)))
    if any(call.name.lower() in STATUS_FUNCTIONS for call in calls(expr)):
        return Condition(text, expr, is_mixed=template.is_mixed)
    conditions = expr.operands if isinstance(expr, Logical) and expr.op == "&&" else (expr,)
    success = Call("success", (), expr.start, expr.start)
    whole = Logical("&&", (success, *conditions), expr.start, expr.end)
    check_depth(whole)
    return Condition(text, whole, is_mixed=template.is_mixed)
