"""The functions every expression may call, and how to add more.

A function gets an `Invocation`: its arguments are evaluated only when it asks for them, in the order it asks. That is
why `contains` never looks at what to search for in an empty array, and why `case` evaluates one branch alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

from skyflow.errors import ExpressionError
from skyflow.expr.ast import Call, Expr
from skyflow.expr.formatting import parse_format
from skyflow.expr.json_text import decode, encode
from skyflow.expr.memory import Counter
from skyflow.expr.text import upper
from skyflow.expr.values import Array, Value, is_primitive, kind, loosely_equal, to_string

__all__ = ["BUILTINS", "MAX_ARGS", "FunctionSpec", "Invocation"]

MAX_ARGS: Final = 255
"""The most arguments a built-in function takes; hashFiles has the same limit."""


@final
class Invocation:
    """One call under evaluation: the arguments, still to be evaluated, and what surrounds them."""

    __slots__ = ("_evaluate", "call", "context", "max_memory")

    def __init__(
        self, call: Call, *, context: Mapping[str, Value], evaluate: Callable[[Expr], Value], max_memory: int
    ) -> None:
        self.call: Final = call
        self.context: Final = context
        self.max_memory: Final = max_memory
        self._evaluate: Final = evaluate

    def __len__(self) -> int:
        """Return the number of arguments."""
        return len(self.call.args)

    def value(self, position: int) -> Value:
        """Evaluate an argument, afresh each time."""
        return self._evaluate(self.call.args[position])

    def text(self, position: int) -> str:
        """Evaluate an argument and coerce it to text."""
        return to_string(self.value(position))

    def counter(self) -> Counter:
        """Return a fresh account for what the function builds; it raises when the limit is reached."""
        return Counter(self.call, self.max_memory)

    def error(self, message: str) -> ExpressionError:
        """Return an error that points at this call."""
        return ExpressionError(message, start=self.call.start, end=self.call.end)


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function: how it is called and what it does.

    Registries map the lower-case name to the spec. Whatever `run` raises leaves the evaluation untouched, so a
    function may also raise something that only its supplier understands ("I need this value first").
    """

    name: str
    """The name as the documentation spells it; expressions may use any case."""
    min_args: int
    max_args: int | None
    """None for no limit."""
    run: Callable[[Invocation], Value]
    odd_args: bool = False
    """Only odd numbers of arguments are taken."""
    from_data: bool = False
    """The result is taken from a document, which counts for more memory than a computed one."""


def _contains(call: Invocation) -> Value:
    searched = call.value(0)
    if isinstance(searched, Array):
        if not searched.items:
            return False
        wanted = call.value(1)
        return any(loosely_equal(wanted, item) for item in searched.items)
    if not is_primitive(searched):
        return False
    wanted = call.value(1)
    return is_primitive(wanted) and upper(to_string(wanted)) in upper(to_string(searched))


def _starts_with(call: Invocation) -> Value:
    searched = call.value(0)
    if not is_primitive(searched):
        return False
    wanted = call.value(1)
    return is_primitive(wanted) and upper(to_string(searched)).startswith(upper(to_string(wanted)))


def _ends_with(call: Invocation) -> Value:
    searched = call.value(0)
    if not is_primitive(searched):
        return False
    wanted = call.value(1)
    return is_primitive(wanted) and upper(to_string(searched)).endswith(upper(to_string(wanted)))


def _format(call: Invocation) -> Value:
    pattern = call.text(0)
    counter = call.counter()
    try:
        segments = parse_format(pattern, len(call) - 1, counter)
    except ValueError as error:
        raise call.error(str(error)) from None
    arguments: dict[int, Value] = {}
    pieces: list[str] = []
    for segment in segments:
        if isinstance(segment, str):
            pieces.append(segment)
            continue
        number = segment.argument
        if number not in arguments:
            arguments[number] = call.value(number + 1)
        if segment.specifiers:
            raise call.error(
                f"The format specifiers '{segment.specifiers}' are not valid "
                f"for objects of type '{kind(arguments[number])}'"
            )
        piece = to_string(arguments[number])
        if piece:
            counter.add_text(piece)
        pieces.append(piece)
    return "".join(pieces)


def _join(call: Invocation) -> Value:
    joined = call.value(0)
    if is_primitive(joined):
        return to_string(joined)
    if not isinstance(joined, Array) or not joined.items:
        return ""
    counter = call.counter()
    pieces = [to_string(joined.items[0])]
    counter.add_text(pieces[0])
    if len(joined.items) == 1:
        return pieces[0]
    separator = ","
    if len(call) > 1:
        given = call.value(1)
        separator = to_string(given) if is_primitive(given) else separator
    for item in joined.items[1:]:
        piece = to_string(item)
        counter.add_text(separator)
        counter.add_text(piece)
        pieces.append(piece)
    return separator.join(pieces)


def _to_json(call: Invocation) -> Value:
    return encode(call.value(0), call.counter())


def _from_json(call: Invocation) -> Value:
    text = call.text(0)
    try:
        return decode(text)
    except ValueError as error:
        raise call.error(f"Error parsing fromJson: {error}") from None


def _case(call: Invocation) -> Value:
    last = len(call) - 1
    for position in range(0, last, 2):
        predicate = call.value(position)
        if not isinstance(predicate, bool):
            raise call.error("case predicate must evaluate to a boolean value")
        if predicate:
            return call.value(position + 1)
    return call.value(last)


BUILTINS: Final[Mapping[str, FunctionSpec]] = MappingProxyType(
    {
        spec.name.lower(): spec
        for spec in (
            FunctionSpec("contains", 2, 2, _contains),
            FunctionSpec("startsWith", 2, 2, _starts_with),
            FunctionSpec("endsWith", 2, 2, _ends_with),
            FunctionSpec("format", 1, MAX_ARGS, _format),
            FunctionSpec("join", 1, 2, _join),
            FunctionSpec("toJSON", 1, 1, _to_json),
            FunctionSpec("fromJSON", 1, 1, _from_json, from_data=True),
            FunctionSpec("case", 3, MAX_ARGS, _case, odd_args=True),
        )
    }
)
"""The functions that are available everywhere, by lower-case name."""
