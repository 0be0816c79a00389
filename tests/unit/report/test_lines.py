"""Output as it is shown: groups, tags, last lines."""

import pytest

from skyflow.report.lines import OutputLines, last_lines
from skyflow.report.words import Signs, ascii_signs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\n", ["a", "b"]),
        ("##[group]Title\na\n##[endgroup]\nb\n", ["▾ Title", "  a", "b"]),
        ("##[group]One\na\n##[group]Two\nb\n", ["▾ One", "  a", "▾ Two", "  b"]),
        ("##[group]\na\n", ["▾", "  a"]),
        ("##[endgroup]\n", []),
        ("##[error]f:1: error: x\n##[warning]warning: y\n##[notice]z\n##[debug]d\n",
         ["f:1: error: x", "warning: y", "z", "debug: d"]),
        ("##[group]g\n##[error]error: x\n", ["▾ g", "  error: x"]),
        ("##[section]x\nsaid ##[group]x\n", ["##[section]x", "said ##[group]x"]),
        ("", []),
    ],
)  # fmt: skip
def test_lines_are_shown_the_same_in_whatever_pieces(text: str, shown: list[str]) -> None:
    assert OutputLines(Signs()).shown(text) == shown
    lines = OutputLines(Signs())
    assert [line for piece in text.splitlines(keepends=True) for line in lines.shown(piece)] == shown


def test_the_last_lines_are_those_of_the_whole() -> None:
    text = "".join(f"{n}\n" for n in range(100))
    assert last_lines(text, 3, Signs()) == ["97", "98", "99"]
    assert last_lines("a\rb\n##[endgroup]\n##[group]c\n", 12, ascii_signs) == ["a", "b", "- c"]
    assert last_lines("", 3, Signs()) == []
