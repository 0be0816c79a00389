"""The caret is below what is meant."""

import pytest

from skyflow.diagnostics import Diagnostic, Severity, Span
from skyflow.spec import render_diagnostic


def _render(line, start, end, *, end_line=1, **details):
    span = Span(1, start, end_line, end)
    return render_diagnostic(Diagnostic("f.yml", span, "code", "message", **details), [line]).split("\n")


def test_place_message_line_mark_and_hint():
    assert _render("  stpes: 5", 3, 8, hint="did you mean 'steps'?") == [
        "f.yml:1:3: message [code]",
        "      stpes: 5",
        "      ^~~~~",
        "hint: did you mean 'steps'?",
    ]


def test_a_finding_that_is_no_error_says_so():
    assert _render("x", 1, 2, severity=Severity.WARNING)[0] == "f.yml:1:1: warning: message [code]"


@pytest.mark.parametrize(
    ("line", "start", "end", "mark"),
    [
        ("a\tb", 3, 4, "         ^"),
        ("日本 x", 4, 5, "         ^"),
        ("x 日本", 3, 5, "      ^~~~"),
        ("e\u0301 x", 4, 5, "      ^"),
        ("abc", 2, 2, "     ^"),
        ("abc", 9, 10, "       ^"),
    ],
)
def test_columns_are_those_of_a_terminal(line, start, end, mark):
    assert _render(line, start, end)[2] == mark


def test_a_span_of_several_lines_is_marked_to_the_end_of_the_first():
    assert _render("run: |  ", 6, 3, end_line=4)[2] == "         ^"


def test_a_long_line_is_cut_around_the_mark():
    _, line, mark = _render("x" * 5000 + "HERE" + "y" * 5000, 5001, 5005)
    assert len(line) < 140
    assert line[mark.index("^") : mark.index("^") + 4] == "HERE"
    assert mark.endswith("^~~~")


def test_characters_that_cannot_be_shown_are_replaced():
    assert _render("a\x07b", 2, 3)[1] == "    a\N{REPLACEMENT CHARACTER}b"


def test_a_line_that_is_not_there_is_left_out():
    diagnostic = Diagnostic("f.yml", Span(5, 1, 5, 2), "code", "message")
    assert render_diagnostic(diagnostic, ["only one"]) == "f.yml:5:1: message [code]"
