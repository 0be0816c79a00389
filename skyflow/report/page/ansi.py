"""Colours that programs print, as elements of HTML; other control sequences of terminals are left out."""

import re
from html import escape

__all__ = ["ansi_to_html"]

_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m"  # colours and bold
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1f\x7f]"
)
_BOLD, _NOT_BOLD, _OWN_COLOUR = 1, 22, 39
"""Programs end a colour by its own code (chalk, picocolors), or all at once by 0; these are of ECMA-48."""
_COLOURS = {**{30 + number: number for number in range(8)}, **{90 + number: number for number in range(8)}}
_WITH_ARGUMENTS = {38, 48}


def ansi_to_html(text: str) -> str:
    """Return text as HTML, in which bold and the eight colours are spans with the classes `b` and `c0` to `c7`."""
    if "\x1b" not in text and _SEQUENCE.search(text) is None:
        return escape(text, quote=False)
    parts: list[str] = []
    classes: list[str] = []
    end = 0
    for match in _SEQUENCE.finditer(text):
        parts.append(_span(text[end : match.start()], classes))
        end = match.end()
        if match[1] is not None:
            classes = _after(classes, match[1])
    parts.append(_span(text[end:], classes))
    return "".join(parts)


def _span(text: str, classes: list[str]) -> str:
    shown = escape(text, quote=False)
    return f'<span class="{" ".join(classes)}">{shown}</span>' if classes and text else shown


def _after(classes: list[str], codes: str) -> list[str]:
    """Return the classes that hold after a sequence; what it says of backgrounds and finer colours is ignored."""
    current = list(classes)
    numbers = [int(code) if code.isdigit() else 0 for code in codes.split(";")]
    for number in numbers:
        if number in _WITH_ARGUMENTS:  # what follows names one of many colours, not other codes
            break
        if number == 0:
            current = []
        elif number == _BOLD:
            current = [*(name for name in current if name != "b"), "b"]
        elif number == _NOT_BOLD:
            current = [name for name in current if name != "b"]
        elif number == _OWN_COLOUR:
            current = [name for name in current if name == "b"]
        elif number in _COLOURS:
            current = [*(name for name in current if name == "b"), f"c{_COLOURS[number]}"]
    return current
