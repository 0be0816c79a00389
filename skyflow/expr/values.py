"""The six kinds of value an expression can have, and how one becomes another.

| kind    | in Python                                                             |
|---------|-----------------------------------------------------------------------|
| Null    | `None`                                                                |
| Boolean | `bool`                                                                |
| Number  | `float`, always: the language knows IEEE doubles only                 |
| String  | `str`                                                                 |
| Array   | `Array`                                                               |
| Object  | `Object`                                                              |

`Array` and `Object` are classes of our own because the language compares collections by identity, looks names up
ignoring case, and never changes one in place; Python's own list and dict promise the opposite on each point.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, ValuesView
from enum import StrEnum
from typing import Final, TypeAlias, final

from skyflow._util.foreign_json import MAX_DEPTH
from skyflow.errors import ExpressionError
from skyflow.expr.text import WHITESPACE, same_text, text_before, upper

__all__ = [
    "MAX_VALUE_DEPTH",
    "Array",
    "Kind",
    "Object",
    "Value",
    "from_python",
    "is_primitive",
    "kind",
    "less_than",
    "loosely_equal",
    "parse_number",
    "to_number",
    "to_python",
    "to_string",
    "truthy",
]

MAX_VALUE_DEPTH: Final = MAX_DEPTH
"""How deep collections may nest, which is GitHub's limit for JSON; it keeps every recursion over values shallow."""


class Kind(StrEnum):
    """The kinds of value, spelled as GitHub's messages spell them."""

    NULL = "Null"
    BOOLEAN = "Boolean"
    NUMBER = "Number"
    STRING = "String"
    ARRAY = "Array"
    OBJECT = "Object"


@final
class Array:
    """An immutable list of values; two arrays are equal only if they are the same one.

    `filtered` marks the result of `.*`: a further index or property applies to each of its items.
    """

    __slots__ = ("filtered", "items")

    items: Final[tuple["Value", ...]]
    filtered: Final[bool]

    def __init__(self, items: Iterable["Value"] = (), *, filtered: bool = False) -> None:
        self.items = tuple(items)
        self.filtered = filtered

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator["Value"]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"Array({list(self.items)!r})"


@final
class Object:
    """An immutable, ordered map from names to values; two objects are equal only if they are the same one.

    Names are found ignoring case, except in a `case_sensitive` object: the `env` context on Linux and macOS.
    Where a name is given twice, the first spelling and place stay and the last value wins, as in GitHub's reader.
    """

    __slots__ = ("_index", "_pairs", "case_sensitive")

    case_sensitive: Final[bool]

    def __init__(
        self, pairs: Mapping[str, "Value"] | Iterable[tuple[str, "Value"]] = (), *, case_sensitive: bool = False
    ) -> None:
        self.case_sensitive = case_sensitive
        self._pairs: dict[str, Value] = {}
        self._index: dict[str, str] = {}
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            folded = name if case_sensitive else upper(name)
            self._pairs[self._index.setdefault(folded, name)] = value

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __contains__(self, name: str) -> bool:
        return (name if self.case_sensitive else upper(name)) in self._index

    def get(self, name: str) -> "Value":
        """Return the value under `name`, or null; `in` tells a missing name from one that holds null."""
        if name in self._pairs:
            return self._pairs[name]
        if self.case_sensitive:
            return None
        spelled = self._index.get(upper(name))
        return None if spelled is None else self._pairs[spelled]

    def items(self) -> Iterable[tuple[str, "Value"]]:
        """Return the pairs in order, names as first spelled."""
        return self._pairs.items()

    def values(self) -> ValuesView["Value"]:
        """Return the values in order."""
        return self._pairs.values()

    def __repr__(self) -> str:
        return f"Object({self._pairs!r})"


Value: TypeAlias = bool | float | str | Array | Object | None
"""Any value of the expression language."""

_KINDS: Final[Mapping[type, Kind]] = {
    type(None): Kind.NULL,
    bool: Kind.BOOLEAN,
    float: Kind.NUMBER,
    str: Kind.STRING,
    Array: Kind.ARRAY,
    Object: Kind.OBJECT,
}


def kind(value: Value) -> Kind:
    """Return the kind of a value."""
    return _KINDS[type(value)]


def is_primitive(value: Value) -> bool:
    """Tell whether the value is neither array nor object."""
    return not isinstance(value, Array | Object)


# ------------------------------------------------------------------------------------------- to and from Python


def from_python(value: object) -> Value:
    """Wrap plain data (what JSON can say, plus tuples); values that are wrapped already stay the same ones.

    Whole numbers become the nearest double, as everywhere in the language.

    Raises:
        ExpressionError: If collections nest more than `MAX_VALUE_DEPTH` deep.
        TypeError: If something else than data is given, which is a mistake of the calling code.
    """
    return _wrap(value, MAX_VALUE_DEPTH)


def _wrap(value: object, depth: int) -> Value:
    if value is None or isinstance(value, bool | Array | Object):
        return value
    # The YAML reader's scalars are subclasses that carry style; a value is the plain thing.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return _nearest_double(value)
    if not isinstance(value, Mapping | list | tuple):
        message = f"not a value of the expression language: {type(value).__name__}"
        raise TypeError(message)
    if depth == 0:
        raise ExpressionError("Maximum object depth exceeded")
    if isinstance(value, Mapping):
        return Object((str(name), _wrap(item, depth - 1)) for name, item in value.items())
    return Array(_wrap(item, depth - 1) for item in value)


def _nearest_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def to_python(value: Value) -> object:
    """Unwrap into plain data: list, dict, and int for whole numbers that a double holds exactly."""
    if isinstance(value, Array):
        return [to_python(item) for item in value.items]
    if isinstance(value, Object):
        return {name: to_python(item) for name, item in value.items()}
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


# ----------------------------------------------------------------------------------------------------- coercion

# What .NET's Double.TryParse takes (trailing NULs and all), then GitHub's own additions. Hexadecimal and octal
# numbers are signed 32-bit ones, so their digits are range-checked below.
_NUMBER = re.compile(
    r"(?P<decimal>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\0*"
    r"|0x(?P<hexadecimal>[0-9a-fA-F]+)"
    r"|0o(?P<octal>[0-7]+)"
    r"|(?P<infinity>[+-]?[iI][nN][fF][iI][nN][iI][tT][yY])"
)


def parse_number(text: str) -> float:
    """Read text as a number: '' is 0, and whatever is no number is NaN."""
    text = text.strip(WHITESPACE)
    if not text:
        return 0.0
    match = _NUMBER.fullmatch(text)
    if match is None:
        return math.nan
    digits = match.group(match.lastgroup or 0)
    if match.lastgroup in ("decimal", "infinity"):
        return float(digits)
    bits = int(digits, 16 if match.lastgroup == "hexadecimal" else 8)
    if bits >= 1 << 32:
        return math.nan
    return float(bits - (1 << 32) if bits >= 1 << 31 else bits)


def truthy(value: Value) -> bool:
    """Tell whether a value counts as true: all but null, false, 0, -0, NaN and the empty string."""
    if isinstance(value, Array | Object):
        return True
    return bool(value) and value == value  # noqa: PLR0124 - NaN is the value that differs from itself


def to_number(value: Value) -> float:
    """Coerce to a number; collections are NaN."""
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return parse_number(value)
    if isinstance(value, Array | Object):
        return math.nan
    return 1.0 if value else 0.0


def to_string(value: Value) -> str:
    """Coerce to text; a collection is just the name of its kind."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    return kind(value).value


def _number_text(number: float) -> str:
    """Write a number as .NET's `G15` does; a negative zero loses its sign."""
    if number == 0:
        return "0"
    if math.isfinite(number):
        return f"{number:.15G}"
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"


# --------------------------------------------------------------------------------------------------- comparison


def _coerced(left: Value, right: Value) -> tuple[Value, Value]:
    """Bring two values to one kind for a comparison; collections keep theirs."""
    if type(left) is type(right):
        return left, right
    primitives = is_primitive(left) and is_primitive(right)
    if primitives:  # different kinds of primitive always meet as numbers
        return to_number(left), to_number(right)
    return left, right


def loosely_equal(left: Value, right: Value) -> bool:
    """Compare as `==` does: coercing, text ignoring case, collections by identity."""
    left, right = _coerced(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return same_text(left, right)
    if type(left) is not type(right):
        return False
    return left == right


def less_than(left: Value, right: Value) -> bool:
    """Compare as `<` does; nulls, collections and kinds that do not meet have no order, hence false."""
    left, right = _coerced(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return text_before(left, right)
    if isinstance(left, float) and isinstance(right, float):
        return left < right
    if isinstance(left, bool) and isinstance(right, bool):
        return left < right
    return False
