"""Output of steps as lines to be shown: groups are indented below their titles, tags become words.

Colours stay; of what else would make a terminal do something, nothing does.
"""

from skyflow._util.terminal import coloured_lines, uncoloured
from skyflow.model.annotation import LineTag
from skyflow.report.words import Signs

__all__ = ["OutputLines", "last_lines"]

_ANY_TAG = "##["
_INDENT = "  "
_ANNOTATIONS = (LineTag.ERROR, LineTag.WARNING, LineTag.NOTICE)


class OutputLines:
    """Turns what one step printed, piece by piece, into lines to be shown."""

    def __init__(self, signs: Signs) -> None:
        self._signs = signs
        self._in_group = False

    def shown(self, text: str) -> list[str]:
        """Return the lines of a piece of output, which consists of whole lines."""
        lines = coloured_lines(text)
        if _ANY_TAG not in text:
            return [_INDENT + line for line in lines] if self._in_group else lines
        return [shown for line in lines if (shown := self._line(line)) is not None]

    def _line(self, line: str) -> str | None:
        if line.startswith(LineTag.GROUP):
            self._in_group = True
            return _untagged(line, self._signs)
        if line.startswith(LineTag.END_GROUP):
            self._in_group = False
            return None
        return (_INDENT if self._in_group else "") + (_untagged(line, self._signs) or "")


def last_lines(text: str, count: int, signs: Signs) -> list[str]:
    """Return the last lines of a piece of output to be shown, without colours, and without looking at the rest of it."""
    recent = text.rsplit("\n", count + 1)[-count - 1 :]
    lines = [uncoloured(line) for piece in recent for line in piece.splitlines()]
    return [shown for line in lines[-count:] if (shown := _untagged(line, signs)) is not None]


def _untagged(line: str, signs: Signs) -> str | None:
    """Return a line without its tag; None for one that is only a tag."""
    if not line.startswith(_ANY_TAG):
        return line
    if line.startswith(LineTag.GROUP):
        return f"{signs.group} {line.removeprefix(LineTag.GROUP)}".rstrip()
    if line.startswith(LineTag.END_GROUP):
        return None
    if line.startswith(LineTag.DEBUG):
        return f"debug: {line.removeprefix(LineTag.DEBUG)}"
    for tag in _ANNOTATIONS:
        line = line.removeprefix(tag)
    return line
