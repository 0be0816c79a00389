"""Where a character of a scalar's value stands in the file.

The value of a scalar is not always a piece of the file: block scalars lose their indentation, quoted ones their escapes,
and lines are folded into spaces. An error inside a `${{ }}` is still shown at its own line and column.
"""

import re
from collections.abc import Iterator

from skyflow.diagnostics import Span
from skyflow.spec.nodes import ScalarNode, ScalarStyle
from skyflow.spec.source import position_at, source_lines

__all__ = ["span_inside"]

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+(?:#[^\r\n]*\s+)*)*")  # an anchor and a tag, each before the value itself
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|\r\n|.)", re.DOTALL)
_WHITE_ESCAPES = frozenset("nrtvfNLP_ \t\r\n")


def span_inside(node: ScalarNode, source: str, start: int | None, end: int | None) -> Span:
    """Return the place in the file of `node.text[start:end]`; the whole scalar if that is not known."""
    if start is None or not node.text:
        return node.span
    first = min(start, len(node.text) - 1)
    last = max(first, min(end or first + 1, len(node.text)) - 1)
    offsets = _source_offsets(node, source, last)
    line, column = _position(node, source, offsets[first])
    end_line, end_column = _position(node, source, offsets[last])
    return Span(line, column, end_line, end_column + 1)


def _position(node: ScalarNode, source: str, offset: int) -> tuple[int, int]:
    """Return the line and column of an offset, counted on from where the scalar starts."""
    line, column = position_at(source[node.start : offset], offset - node.start)
    return node.span.line + line - 1, column + (node.span.column - 1 if line == 1 else 0)


def _source_offsets(node: ScalarNode, source: str, last: int) -> list[int]:
    """Return where each character of the value, up to `last`, stands in the source."""
    quotes = node.style in {ScalarStyle.SINGLE_QUOTED, ScalarStyle.DOUBLE_QUOTED}
    start = _content_start(node, source) + quotes
    if source.startswith(node.text, start) and node.style not in {ScalarStyle.LITERAL, ScalarStyle.FOLDED}:
        return list(range(start, start + last + 1))
    if node.style is ScalarStyle.LITERAL:
        return _literal_offsets(node, source)
    if node.style is ScalarStyle.FOLDED:
        start += len(source_lines(source[start : node.end])[0])
    return list(_aligned(node.text[: last + 1], source, start, node.style))


def _content_start(node: ScalarNode, source: str) -> int:
    properties = _PROPERTIES.match(source, node.start, node.end)
    return properties.end() if properties else node.start


def _literal_offsets(node: ScalarNode, source: str) -> list[int]:
    """Go line by line: each line of the value is a line of the source less its indentation."""
    offsets: list[int] = []
    start = _content_start(node, source)
    written = [line[0] for line in _LINE.finditer(source, start, node.end)]
    at = start + len(written[0])
    for value_line, source_line in zip(node.text.split("\n"), [*written[1:], ""], strict=False):
        indent = max(0, len(source_line.rstrip("\r\n")) - len(value_line))
        offsets.extend(range(at + indent, at + indent + len(value_line) + 1))  # one more for the line break
        at += len(source_line)
    offsets.extend(offsets[-1:] * (len(node.text) - len(offsets)))
    return offsets


def _aligned(text: str, source: str, at: int, style: ScalarStyle) -> Iterator[int]:
    """Match the value with the source, character by character; white space is folded, so it is skipped on both sides."""
    for character in text:
        if character.isspace():
            yield at
            continue
        at = _skip_white(source, at, style)
        yield at
        at += _written_length(source, at, style)


def _skip_white(source: str, at: int, style: ScalarStyle) -> int:
    while at < len(source) - 1:
        if source[at].isspace():
            at += 1
        elif style is ScalarStyle.DOUBLE_QUOTED and source[at] == "\\" and _is_white_escape(source, at):
            at += _written_length(source, at, style)
        else:
            break
    return at


def _written_length(source: str, at: int, style: ScalarStyle) -> int:
    """Return how many characters of the source stand for the one of the value at `at`."""
    if style is ScalarStyle.SINGLE_QUOTED and source.startswith("''", at):
        return 2
    escape = _ESCAPE.match(source, at) if style is ScalarStyle.DOUBLE_QUOTED else None
    return len(escape[0]) if escape else 1


def _is_white_escape(source: str, at: int) -> bool:
    escape = _ESCAPE.match(source, at)
    if escape is None:
        return False
    letter, digits = escape[0][1], escape[0][2:]
    return chr(int(digits, 16)).isspace() if letter in "xuU" and digits else letter in _WHITE_ESCAPES
