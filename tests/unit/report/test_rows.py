"""Rows of a name, a time and a reason."""

import io

from rich.console import Console
from rich.text import Text

from skyflow.report.rows import Row, Rows

REASON = "exit code 3, after which nothing else was tried, for nobody asked for it"


def shown(width: int, *rows: Row) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(Rows(rows, style="bright_black"), end="")
    return stream.getvalue().splitlines()


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    rows = Row(Text("build"), "1.2s", "exit code 3"), Row(Text()), Row(Text("日本"), "3m 10s"), Row(Text("key = value"))
    assert shown(80, *rows) == ["build         1.2s exit code 3", "", "日本        3m 10s", "key = value"]


def test_a_long_reason_is_folded_below_itself_and_a_long_name_shortened() -> None:
    assert shown(
        60, Row(Text("build for " + "many " * 20 + "machines"), "1.2s", REASON), Row(Text("test"), "9s", "no")
    ) == [
        "build for many many many many man… 1.2s exit code 3, after",
        "                                        which nothing else",
        "                                        was tried, for",
        "                                        nobody asked for it",
        "test                                 9s no",
    ]


def test_a_reason_of_several_lines_stays_in_its_column() -> None:
    assert shown(80, Row(Text("a"), "1s", "one\ntwo")) == ["a 1s one", "     two"]
