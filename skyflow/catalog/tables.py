"""CSV tables whose every error names the file, the line, the column and the reason."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from skyflow.errors import CatalogError

if TYPE_CHECKING:
    import _csv

__all__ = ["Row", "read_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    path: Path
    line: int
    cells: dict[str, str]

    def fault(self, column: str, reason: str) -> CatalogError:
        """Return the error to raise about one cell."""
        return CatalogError(f"{self.path}:{self.line}: column '{column}': {reason}")

    def optional(self, column: str) -> str:
        """Return a cell, which may be empty."""
        return self.cells[column]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty.

        Raises:
            CatalogError: it is.
        """
        if not (text := self.cells[column]):
            raise self.fault(column, "is empty")
        return text

    def number(self, column: str, *, above_zero: bool = False) -> float:
        """Return a finite number that is not negative, or one above zero.

        Raises:
            CatalogError: the cell holds something else.
        """
        text = self.text(column)
        try:
            number = float(text)
        except ValueError:
            raise self.fault(column, f"'{text}' is not a number") from None
        if not isfinite(number) or number < 0 or (above_zero and number == 0):
            raise self.fault(column, f"'{text}' is not a number {'above' if above_zero else 'from'} zero")
        return number

    def count(self, column: str) -> int:
        """Return a whole number above zero.

        Raises:
            CatalogError: the cell holds something else.
        """
        text = self.text(column)
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise self.fault(column, f"'{text}' is not a whole number above zero")
        return int(text)

    def day(self, column: str) -> date:
        """Return a day, written 2026-08-03.

        Raises:
            CatalogError: the cell holds something else.
        """
        text = self.text(column)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.fault(column, f"'{text}' is not a day; write it as 2026-08-03") from None

    def one_of(self, column: str, allowed: Sequence[str]) -> str:
        """Return one of some words.

        Raises:
            CatalogError: the cell holds another word.
        """
        text = self.cells[column]
        if text not in allowed:
            raise self.fault(column, f"'{text}' is none of {', '.join(allowed)}")
        return text


def read_table(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of a CSV file that has exactly these columns, in any order.

    Raises:
        CatalogError: the file cannot be read, its columns are others, or a row has more or fewer cells.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from _rows(path, csv.reader(file, strict=True), columns)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from error


def _rows(path: Path, reader: "_csv.Reader", columns: Sequence[str]) -> Iterator[Row]:
    try:
        header = next(reader, [])
        for column in columns:
            if header.count(column) != 1:
                raise CatalogError(f"{path}:1: column '{column}' must be there once")
        if unknown := set(header) - set(columns):
            raise CatalogError(f"{path}:1: unknown column '{min(unknown)}'")
        for cells in reader:
            if len(cells) != len(header):
                raise CatalogError(f"{path}:{reader.line_num}: {len(cells)} cells under {len(header)} columns")
            yield Row(path, reader.line_num, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise CatalogError(f"{path}:{reader.line_num}: {error}") from error
