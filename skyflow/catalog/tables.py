"""CSV tables, read whole: a bad row is a fault with its file, line, column and reason, and the other rows still load.

Cells repeat (there are some dozens of days and regions in a hundred thousand rows), so every distinct cell of a column is
read once.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skyflow.catalog.columns import TableSpec
from skyflow.errors import CatalogError

__all__ = ["Fault", "Table", "read_table"]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One row that cannot be used, and why; `column` is empty where the row as a whole is wrong."""

    table: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        """Return `aws/prices.csv:6: column 'zone': is empty`."""
        where = f"column '{self.column}': " if self.column else ""
        return f"{self.table}:{self.line}: {where}{self.reason}"


@dataclass(slots=True)
class Table:
    """The rows that could be read, column by column; `lines` are their lines in the file."""

    name: str
    lines: list[int]
    columns: dict[str, list[Any]]
    faults: list[Fault] = field(default_factory=list)

    def rows(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Yield the line and some cells of every row."""
        return zip(self.lines, *(self.columns[name] for name in names), strict=True)

    def fault(self, line: int, column: str, reason: str) -> None:
        """Record that a row cannot be used."""
        self.faults.append(Fault(self.name, line, column, reason))


def read_table(directory: Path, name: str, spec: TableSpec) -> Table:
    """Read a CSV file that has exactly the columns of a spec, in any order.

    Raises:
        CatalogError: the file cannot be read, or its columns are others.
    """
    path = directory / name
    faults: list[Fault] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, lines, rows = _cells(path, name, csv.reader(file, strict=True), spec, faults)
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from error
    table = Table(name, lines, {}, faults)
    columns = dict(zip(header, zip(*rows, strict=True) if rows else ([] for _ in header), strict=True))
    bad: set[int] = set()
    for column in spec.columns:
        cells = columns[column.name]
        values: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        for cell in set(cells):
            try:
                values[cell] = column.parse(cell)
            except ValueError as error:
                values[cell], reasons[cell] = None, str(error)
        if reasons:
            for position, cell in enumerate(cells):
                if cell in reasons and position not in bad:
                    bad.add(position)
                    table.fault(lines[position], column.name, reasons[cell])
        table.columns[column.name] = [values[cell] for cell in cells]
    return _without(table, bad) if bad else table


def _cells(
    path: Path, name: str, reader: Any, spec: TableSpec, faults: list[Fault]
) -> tuple[list[str], list[int], list[list[str]]]:
    lines: list[int] = []
    rows: list[list[str]] = []
    header: list[str] = []
    try:
        header = next(reader, [])
        for column in spec.names:
            if header.count(column) != 1:
                raise CatalogError(f"{path}:1: column '{column}' must be there once")
        if unknown := set(header) - set(spec.names):
            raise CatalogError(f"{path}:1: unknown column '{min(unknown)}'")
        width = len(header)
        for cells in reader:
            if len(cells) == width:
                lines.append(reader.line_num)
                rows.append(cells)
            else:
                faults.append(Fault(name, reader.line_num, "", f"{len(cells)} cells under {width} columns"))
    except csv.Error as error:  # what follows cannot be told apart any more
        faults.append(Fault(name, reader.line_num, "", str(error)))
    return header, lines, rows


def _without(table: Table, bad: set[int]) -> Table:
    kept = [position for position in range(len(table.lines)) if position not in bad]
    return Table(
        table.name,
        [table.lines[position] for position in kept],
        {name: [values[position] for position in kept] for name, values in table.columns.items()},
        table.faults,
    )
