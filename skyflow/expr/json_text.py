"""JSON as `toJSON` writes and `fromJSON` reads it."""

import json
import re
from typing import Final, NoReturn

from skyflow._util.foreign_json import nesting, whole_characters
from skyflow.expr.memory import Counter
from skyflow.expr.values import MAX_VALUE_DEPTH, Array, Object, Value, from_python, to_string

__all__ = ["decode", "encode"]

# What Newtonsoft's writer escapes: besides JSON's own set the line separators JavaScript once stumbled over.
_ESCAPED: Final = re.compile('["\\\\\0-\x1f\x85\u2028\u2029]')
_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def encode(value: Value, counter: Counter) -> str:
    """Write a value as JSON: two blanks per level, names in order, numbers as everywhere else in the language.

    So NaN and the infinities come out bare, which is no JSON but what GitHub writes. Non-ASCII text stays as it is.
    """
    pieces: list[str] = []

    def write(piece: str) -> None:
        counter.add_text(piece)
        pieces.append(piece)

    def write_value(value: Value, prefix: str, indent: str) -> None:
        if isinstance(value, Array | Object) and len(value):
            opening, closing = "[]" if isinstance(value, Array) else "{}"
            write(prefix + opening)
            inner = indent + "  "
            separator = inner
            if isinstance(value, Array):
                for item in value.items:
                    write_value(item, separator, inner)
                    separator = "," + inner
            else:
                for name, item in value.items():
                    write(separator + _quoted(name))
                    write_value(item, ": ", inner)
                    separator = "," + inner
            write(indent + closing)
        else:
            write(prefix + _leaf(value))

    write_value(value, "", "\n")
    return "".join(pieces)


def _leaf(value: Value) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, Array):
        return "[]"
    return "{}" if isinstance(value, Object) else to_string(value)


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    letter = match.group()
    return _SHORT_ESCAPES.get(letter) or f"\\u{ord(letter):04x}"


def decode(text: str) -> Value:
    """Read JSON, strictly: one value and nothing but white space around it.

    Where a name is repeated, the last value stays in the place of the first; then the same for names that differ in case
    only, of which the first spelling stays. Both are what GitHub's reader does.

    Raises:
        ValueError: If the text is not JSON, or nests more than `MAX_VALUE_DEPTH` deep.
    """
    if not text.strip():
        # GitHub's own words: people search for them, because an output that was never set ends up here.
        raise ValueError("Error reading JToken from JsonReader. Path '', line 0, position 0.")
    if nesting(text) > MAX_VALUE_DEPTH:
        raise ValueError(f"The maximum configured depth of {MAX_VALUE_DEPTH} has been exceeded.")
    data: object = json.loads(
        whole_characters(text), parse_int=float, parse_constant=_reject, object_pairs_hook=_object
    )
    return from_python(data)


def _object(pairs: list[tuple[str, object]]) -> Object:
    return Object((name, from_python(item)) for name, item in dict(pairs).items())


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
