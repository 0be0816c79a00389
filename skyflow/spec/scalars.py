"""What a scalar means in YAML 1.2 (core schema), which is what GitHub reads.

Not so in YAML 1.1, which most Python libraries read: there `on` and `yes` are booleans, `010` is eight, `1:30` is ninety
and `2026-01-01` is a date. Here all of those are text, and 010 is ten.
"""

import re

from skyflow.spec.nodes import ScalarStyle, ScalarValue

__all__ = ["resolve_plain", "resolve_tagged"]

_NULLS = frozenset(("", "null", "Null", "NULL", "~"))
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_OCTAL = re.compile(r"0o[0-7]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?(\.inf|\.Inf|\.INF)")
_NOT_A_NUMBER = frozenset((".nan", ".NaN", ".NAN"))
_CORE = "tag:yaml.org,2002:"
_FIRST_OF_NUMBER = frozenset("+-.0123456789")


def resolve_plain(text: str) -> ScalarValue:
    """Return the value of an unquoted scalar; numbers are doubles, as everywhere in GitHub's language."""
    if text[:1] in _FIRST_OF_NUMBER:
        number = _integer(text)
        number = _fraction(text) if number is None else number
        return text if number is None else number
    if text in _NULLS:
        return None
    return _BOOLEANS.get(text, text)


def resolve_tagged(text: str, tag: str, style: ScalarStyle) -> ScalarValue:
    """Return the value of a scalar with an explicit tag such as `!!str`.

    Raises:
        ValueError: the tag is unknown, or the text is not of its kind.
    """
    if tag == f"{_CORE}str":
        return text
    kind = tag.removeprefix(_CORE)
    plain = style is ScalarStyle.PLAIN
    if plain and kind == "null" and text in _NULLS:
        return None
    if plain and kind == "bool" and text in _BOOLEANS:
        return _BOOLEANS[text]
    number = {"int": _integer, "float": _fraction}.get(kind, _nothing)(text) if plain else None
    if number is None:
        raise ValueError(tag)
    return number


def _integer(text: str) -> float | None:
    if _INTEGER.fullmatch(text):
        return float(text)  # not int(): that refuses thousands of digits
    if _HEXADECIMAL.fullmatch(text) or _OCTAL.fullmatch(text):
        try:
            return float(int(text, 0))
        except OverflowError:
            return float("inf")
    return None


def _fraction(text: str) -> float | None:
    if _DECIMAL.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan") if text in _NOT_A_NUMBER else None


def _nothing(text: str) -> None:
    del text
