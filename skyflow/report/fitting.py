"""Tables that shorten names on a narrow terminal, rather than cut what stands beside them."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

__all__ = ["FittedTable"]

_LEAST = 12
"""A name is not shortened to less than this many columns."""


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table with one column that gives way: the one of this index; what folds over lines counts as at most a third."""

    table: Table
    gives_way: int
    gap: int
    """How many columns of the terminal are between two of the table."""
    may_lose_last: bool = False
    """Whether the last column is left out where too little were left for the one that gives way."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - self._taken(console, options)
        if room < _LEAST and self.may_lose_last:
            self.table.columns.pop()
            room = options.max_width - self._taken(console, options)
        self.table.columns[self.gives_way].max_width = max(room, _LEAST)
        yield self.table

    def _taken(self, console: Console, options: ConsoleOptions) -> int:
        """Return how much the other columns take."""
        unlimited = options.update(max_width=10_000)
        taken = self.gap * (len(self.table.columns) - 1)
        for index, column in enumerate(self.table.columns):
            cells = [column.header, *column.cells]
            widest = max(console.measure(cell, options=unlimited).maximum for cell in cells)
            if index != self.gives_way:
                taken += widest if column.no_wrap else min(widest, options.max_width // 3)
        return taken
