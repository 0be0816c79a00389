import io

import pytest
from rich.console import Console
from rich.table import Table

from skyflow.report.fitting import FittedTable

NAME = "a name that is longer than there is room for it on a narrow terminal"


def shown(width: int, **options: bool) -> list[str]:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row("17", NAME, "in progress", "20261127-235007-878b")
    stream = io.StringIO()
    Console(file=stream, width=width).print(FittedTable(table, gives_way=1, gap=2, **options))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80])
def test_the_name_is_shortened_and_nothing_else(width: int) -> None:
    [line] = shown(width)
    assert line.startswith("17  a name that is")
    assert line.rstrip().endswith("…  in progress  20261127-235007-878b")
    assert len(line) <= width


def test_what_fits_is_whole() -> None:
    assert shown(120) == [f"17  {NAME}  in progress  20261127-235007-878b"]


def test_the_last_column_goes_before_the_name_is_too_short() -> None:
    [line] = shown(45, may_lose_last=True)
    assert line == "17  a name that is longer than …  in progress"
