"""The pattern language of `format`: `{0}` inserts an argument, `{{` and `}}` are single braces."""

import re
from typing import NamedTuple

from skyflow.expr.memory import Counter

__all__ = ["Placeholder", "escape_format", "parse_format"]

_BYTE_MAX = 255

# Text goes with the escaped brace behind it in one segment. Inside specifiers `}}` is a brace, a single one closes.
_SEGMENT = re.compile(
    r"(?P<escaped>[^{}]*(?:\{\{|\}\}))"
    r"|(?P<text>[^{}]+)"
    r"|\{(?P<index>[0-9]+)(?::(?P<specifiers>(?:[^}]|\}\})*+))?\}"
)


class Placeholder(NamedTuple):
    """An argument to insert; any specifiers are an error, but only once the argument is evaluated."""

    argument: int
    specifiers: str


def parse_format(pattern: str, arguments: int, counter: Counter) -> list[str | Placeholder]:
    """Split a pattern into text and placeholders, charging the text to `counter`.

    Raises:
        ValueError: If a brace stands where it means nothing, or a placeholder asks for an argument that is not there.
            The text is what GitHub says.
    """
    segments: list[str | Placeholder] = []
    position = 0
    while position < len(pattern):
        match = _SEGMENT.match(pattern, position)
        if match is None:
            raise ValueError(f"The following format string is invalid: {pattern}")
        position = match.end()
        if match["index"] is None:
            text = match["text"] or match["escaped"][:-1]
            counter.add_text(text)
            segments.append(text)
            continue
        digits = match["index"].lstrip("0") or "0"
        if len(digits) > len(str(_BYTE_MAX)) or int(digits) > _BYTE_MAX:
            raise ValueError(f"The following format string is invalid: {pattern}")
        if int(digits) >= arguments:
            raise ValueError(f"The following format string references more arguments than were supplied: {pattern}")
        segments.append(Placeholder(int(digits), (match["specifiers"] or "").replace("}}", "}")))
    return segments


def escape_format(text: str) -> str:
    """Return the pattern that stands for the text itself."""
    return text.replace("{", "{{").replace("}", "}}")
