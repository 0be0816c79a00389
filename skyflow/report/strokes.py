"""A canvas of characters: lines that join where they meet and pass where they cross, frames, and text."""

from collections.abc import Mapping

from rich.text import Text

__all__ = ["Canvas"]

_LEFT, _RIGHT, _UP, _DOWN = 1, 2, 4, 8
_STROKES = {
    _LEFT: "─", _RIGHT: "─", _LEFT | _RIGHT: "─", _UP: "│", _DOWN: "│", _UP | _DOWN: "│",
    _RIGHT | _DOWN: "╭", _LEFT | _DOWN: "╮", _RIGHT | _UP: "╰", _LEFT | _UP: "╯",
    _LEFT | _RIGHT | _DOWN: "┬", _LEFT | _RIGHT | _UP: "┴", _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤",
    _LEFT | _RIGHT | _UP | _DOWN: "┼",
}  # fmt: skip
_ENDS = {"left": _LEFT, "right": _RIGHT, "both": _LEFT | _RIGHT}


class Canvas:
    """Characters by row and column; with `is_ascii`, of the plainest kind."""

    def __init__(self, *, is_ascii: bool = False) -> None:
        self._is_ascii = is_ascii
        self._strokes: dict[tuple[int, int], int] = {}
        self._owners: dict[tuple[int, int], str] = {}
        self._cells: dict[tuple[int, int], str] = {}
        self._styles: dict[tuple[int, int], str] = {}

    def across(self, row: int, begin: int, end: int, owner: str, style: str) -> None:
        """Draw a line from one column up to, and without, another."""
        for column in range(begin, end):
            self._stroke(row, column, _LEFT | _RIGHT, owner, style)

    def down(self, column: int, ends: Mapping[int, str], owner: str, style: str) -> None:
        """Draw a line between the first and the last of some rows; at each it leads on to the `left`, the `right`, or `both`."""
        first, last = min(ends), max(ends)
        for row in range(first, last + 1):
            upright = (_UP if row > first else 0) | (_DOWN if row < last else 0)
            cell = (row, column)
            if row not in ends:
                if self._owners.get(cell) != owner:  # it passes over what belongs to another
                    self._strokes.pop(cell, None)
                self._stroke(row, column, upright, owner, style)
            else:
                crossing = self._strokes.get(cell, 0) if self._owners.get(cell) != owner else 0
                self._strokes[cell] = 0
                self._stroke(row, column, crossing | upright | _ENDS[ends[row]], owner, style)

    def arrow(self, row: int, column: int, style: str) -> None:
        """Draw the head of an arrow to the right."""
        self.write(row, column, ">" if self._is_ascii else "▶", style)

    def frame(self, *, top: int, left: int, bottom: int, right: int, style: str) -> None:
        """Draw a frame."""
        for row in (top, bottom):
            self.across(row, left + 1, right, "", style)
        for column in (left, right):
            for row in range(top + 1, bottom):
                self._stroke(row, column, _UP | _DOWN, "", style)
        for row, column, stroke in (
            (top, left, _RIGHT | _DOWN), (top, right, _LEFT | _DOWN),
            (bottom, left, _RIGHT | _UP), (bottom, right, _LEFT | _UP),
        ):  # fmt: skip
            self._stroke(row, column, stroke, "", style)

    def write(self, row: int, column: int, text: str, style: str) -> None:
        """Write text over whatever is there."""
        for offset, character in enumerate(text):
            self._cells[row, column + offset] = character
            self._styles[row, column + offset] = style

    def lines(self) -> list[Text]:
        """Return all rows, without blanks at their ends."""
        cells = {cell: self._character(stroke) for cell, stroke in self._strokes.items()} | self._cells
        rows: dict[int, list[int]] = {}
        for row, column in cells:
            rows.setdefault(row, []).append(column)
        drawn = []
        for row in range(min(rows, default=0), max(rows, default=-1) + 1):
            text = Text(no_wrap=True)
            for column in range(max(rows.get(row, ()), default=-1) + 1):
                text.append(cells.get((row, column), " "), self._styles.get((row, column), ""))
            text.rstrip()
            drawn.append(text)
        return drawn

    def _stroke(self, row: int, column: int, stroke: int, owner: str, style: str) -> None:
        self._strokes[row, column] = self._strokes.get((row, column), 0) | stroke
        self._owners[row, column] = owner
        self._styles[row, column] = style

    def _character(self, stroke: int) -> str:
        if not self._is_ascii:
            return _STROKES[stroke]
        if stroke & ~(_LEFT | _RIGHT) == 0:
            return "-"
        return "|" if stroke & ~(_UP | _DOWN) == 0 else "+"
