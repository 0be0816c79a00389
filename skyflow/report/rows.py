"""Rows of a name, a time and a reason, as many as there may be.

They are laid out in one pass, where a table of rich weighs every cell several times.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

__all__ = ["Row", "Rows"]

_LEAST = 12
"""A name is not shortened to less than this many columns, nor is a reason folded to less."""
_NEW_LINE = Segment.line()


@dataclass(frozen=True, slots=True)
class Row:
    """One line, or several where the reason is long."""

    name: Text
    time: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows below each other: names are shortened where they have to be, and reasons folded, to a third of the width if need be."""

    rows: Sequence[Row]
    style: str
    """Of times and reasons."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        times = max((cell_len(row.time) for row in self.rows), default=0)
        reasons = max((cell_len(row.reason) for row in self.rows), default=0)
        names = max((row.name.cell_len for row in self.rows), default=0)
        taken = times + 2
        names = min(names, max(options.max_width - taken - min(reasons, options.max_width // 3), _LEAST))
        room = max(options.max_width - taken - names, _LEAST)
        style = console.get_style(self.style)
        for row in self.rows:
            yield from _line(console, row, widths=(names, times, room), style=style)


def _line(console: Console, row: Row, *, widths: tuple[int, int, int], style: Style) -> RenderResult:
    names, times, room = widths
    name = row.name
    length = name.cell_len
    if length > names:
        name = name.copy()
        name.truncate(names, overflow="ellipsis")
        length = name.cell_len
    yield from name.render(console)
    if row.time or row.reason:
        yield Segment(" " * (names - length + 1 + times - cell_len(row.time)) + row.time, style)
    if row.reason:
        fits = cell_len(row.reason) <= room and "\n" not in row.reason
        lines = [row.reason] if fits else _folded(console, row.reason, room)
        below = f"\n{' ' * (names + times + 2)}"
        yield Segment(f" {below.join(lines)}", style)
    yield _NEW_LINE


def _folded(console: Console, text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")]
