"""JSON that somebody else has written: a file of the user, the answer of a machine or of a service.

`json.loads` takes more than JSON (NaN), gives back what cannot be written again (half a character), and fails with
RecursionError where brackets nest; here every fault is a ValueError.
"""

import json
import math
import re
from typing import Any, Final, NoReturn

__all__ = ["MAX_DEPTH", "nesting", "read_json", "whole_characters"]

MAX_DEPTH: Final = 100
"""How deep lists and objects may nest, which is GitHub's limit for JSON; it keeps every recursion over values shallow."""

_BRACKET_OR_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def read_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Escapes of half a character stay as they are, since Python writes names of files that are no text so; see
    `whole_characters`.

    Raises:
        ValueError: it is not JSON in UTF-8, nests too deep to be read, or has a number beyond what a double holds.
    """
    text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("lists and objects nest too deep in it") from None


def whole_characters(text: str) -> str:
    """Replace escapes of half a character, which no encoding could write out again, as .NET's encoder does."""
    return _ESCAPE.sub(lambda match: "\\ufffd" if match["half"] else match.group(), text) if "\\u" in text else text


def nesting(text: str) -> int:
    """Return how deep brackets nest in a JSON text, or 0 when it has too few of them to go beyond the limit."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = level = 0
    for match in _BRACKET_OR_STRING.finditer(text):
        if match.group() in "[{":
            level += 1
            deepest = max(deepest, level)
        elif match.group() in "]}":
            level -= 1
    return deepest


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:20]} is too large a number")
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
