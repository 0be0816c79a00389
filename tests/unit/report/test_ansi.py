"""Colours of programs as HTML."""

import pytest

from skyflow.report.page.ansi import ansi_to_html


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("\x1b[31mred\x1b[0m plain", '<span class="c1">red</span> plain'),
        ("\x1b[31mred\x1b[39m plain", '<span class="c1">red</span> plain'),  # as chalk ends a colour
        (
            "\x1b[1;31mboth\x1b[39m bold\x1b[22m plain",
            '<span class="b c1">both</span><span class="b"> bold</span> plain',
        ),
        ("\x1b[1m\x1b[92mboth\x1b[22m green", '<span class="b c2">both</span><span class="c2"> green</span>'),
        ("\x1b[38;5;1mfine\x1b[m", "fine"),
        ("\x1b[2K\x1b]0;title\x07shown\x08", "shown"),
    ],
)
def test_colours_begin_and_end_where_the_program_says(printed: str, shown: str) -> None:
    assert ansi_to_html(printed) == shown
