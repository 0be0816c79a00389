"""Whatever others wrote, a terminal shows it and obeys nothing of it but colours."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skyflow._util.terminal import coloured, coloured_lines, one_line, plain, uncoloured

CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
HOSTILE = st.text(st.sampled_from("\x1b[]()Pm0;8?hJ\\\x07\x08\r\n\t\x7f\x9b\x9c\u202e\udc9b ab"), max_size=30)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "a\x1b[31mred\x1b[0m b"),
        ("\x1b[1;38;5;9mleft on", "\x1b[1;38;5;9mleft on\x1b[0m"),
        (f"a{CLIPBOARD}b", "ab"),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x1b]8;;https://example.com\x07link\x1b]8;;\x07", "link"),
        ("\x1bP1$r0m\x1b\\\x1b_x\x1b\\\x1b^y\x9cz", "z"),
        ("\x1b[2J\x1b[1A\x1b[?1049h\x1bc\x1b(0x", "x"),
        ("ab\x08\x08\x9b2Jc\td\x7f", "ab2Jc\td"),
        ("\x1b]0;never ended", "0;never ended"),
        ("שלום \xad\ue0b0", "שלום \xad\ue0b0"),
    ],
)
def test_of_a_line_of_output_its_text_and_colours_stay(line, shown):
    assert coloured(line) == shown
    assert uncoloured(line) == uncoloured(shown)
    assert "\x1b" not in uncoloured(line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"x{CLIPBOARD}", "x\\u001b]52;c;ZXZpbA==\\u0007"),
        ("two\n\tlines\r", "two\n\tlines\\u000d"),
        ("\u202eevil\u2066\x9b\udc9b", "\\u202eevil\\u2066\\u009b\\udc9b"),
    ],
)
def test_in_a_message_everything_is_seen(text, shown):
    assert plain(text) == shown


def test_a_name_is_one_line():
    assert one_line("build\n::error::no\r\x1b[2K") == "build ::error::no \\u001b[2K"
    assert one_line("two  blanks") == "two  blanks"


@given(HOSTILE)
def test_nothing_else_is_ever_left_to_obey(text):
    assert one_line(text).isprintable()
    assert plain(text).replace("\n", "").replace("\t", "").isprintable()
    left = uncoloured(text)
    assert not set(left) & set("\x1b\x07\x08\r\n\x7f\x9b\x9c")
    assert uncoloured(coloured(text)) == left


@given(HOSTILE | st.text(st.sampled_from("\x1b[0m\n\t ab"), max_size=30))
@example("\x1b[\x1b[0m31mred\nnext")
@example("\x1b[31mred\n\x1b[mnext\tx\n\n")
def test_many_lines_are_shown_as_each_of_them_is(text):
    assert coloured_lines(text) == [coloured(line) for line in text.splitlines()]
