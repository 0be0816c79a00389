"""Masked whole lines, whatever pieces the output comes in."""

import io
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow._util.masking import Masks
from skyflow.runners.output.lines import LogWriter
from skyflow.runners.output.matchers import Matcher, Matchers, Pattern
from skyflow.runners.output.obey import AttemptMemory, StepCommands
from skyflow.runners.output.regexps import compile_regexp

NOWHERE = Path("/nowhere")


def writer_to(log: io.BytesIO, shown: list[str], *masks: str) -> LogWriter:
    memory = AttemptMemory(Masks(masks), Matchers(NOWHERE))
    return LogWriter(log, StepCommands(memory, workspace=NOWHERE, env={}), shown.append)


def written(*pieces: bytes, masks: tuple[str, ...] = ()) -> str:
    log, shown = io.BytesIO(), list[str]()
    writer = writer_to(log, shown, *masks)
    for piece in pieces:
        writer.feed(piece)
    writer.finish()
    assert log.getvalue().decode(errors="replace") == "".join(shown)
    return "".join(shown)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_printed_beyond_the_room_is_left_out_and_that_is_said_once(size: int) -> None:
    """Not half a line either, which may end in half a secret; and what is left out is not obeyed."""
    memory = AttemptMemory(Masks(["secret"]), Matchers(NOWHERE), log_limit_bytes=20)
    commands, log, shown = StepCommands(memory, workspace=NOWHERE, env={}), io.BytesIO(), list[str]()
    writer = LogWriter(log, commands, shown.append)
    printed = b"0123456789\n012 secret\n::set-output name=a::1\n" + b"more\n" * 1000
    for start in range(0, len(printed), size):
        writer.feed(printed[start : start + size])
    writer.finish()
    first, said = log.getvalue().decode().splitlines()
    assert first == "0123456789"
    assert "more than <1 kB: what came after is left out" in said
    assert "'log-limit' in skyflow.yml" in said
    assert "".join(shown) == log.getvalue().decode()
    assert not commands.written.outputs
    assert len(commands.masked_annotations()) == 1
    writer.add("what skyflow says itself is still there")
    assert log.getvalue().endswith(b"still there\n")


def test_what_just_fits_is_kept_without_a_word() -> None:
    memory = AttemptMemory(Masks(), Matchers(NOWHERE), log_limit_bytes=6)
    log = io.BytesIO()
    writer = LogWriter(log, StepCommands(memory, workspace=NOWHERE, env={}), lambda _: None)
    writer.feed(b"12345\n")
    writer.finish()
    assert log.getvalue() == b"12345\n"


def test_the_last_line_gets_its_newline() -> None:
    assert written(b"a\nb") == "a\nb\n"


def test_a_mask_hides_what_is_split_over_pieces() -> None:
    assert written(b"my sec", b"ret is", b" out\n", masks=("secret",)) == "my *** is out\n"


def test_add_mask_hides_from_then_on_and_is_not_shown() -> None:
    assert written(b"pw before\n::add-mask::pw\npw after\n") == "pw before\n*** after\n"


def test_add_mask_with_escaped_newlines_hides_each_line() -> None:
    assert written(b"::add-mask::one%0Atwo%25\nsay one\nsay two%\n") == "say ***\nsay ***\n"


def test_stopped_commands_are_plain_output_until_the_token() -> None:
    text = b"::stop-commands::tok\n::add-mask::x\n::TOK::\n::add-mask::y\nx y\n"
    assert written(text) == "::add-mask::x\nx ***\n"


def test_a_carriage_return_ends_a_line_too() -> None:
    assert written(b"50 %\r::add-mask::y\r\ny\r\n") == "50 %\r***\r\n"


@pytest.mark.parametrize(
    "line", ["::nothing::hi", "a ::add-mask::b", "std::vector", "::", "::add-mask", "##[section]x"]
)
def test_other_lines_with_colons_are_plain_output(line: str) -> None:
    assert written(f"{line}\n".encode()) == f"{line}\n"


@pytest.mark.parametrize("after", range(-8, 9))
def test_a_line_without_end_is_passed_on_in_pieces_and_still_masked(after: int) -> None:
    log, shown = io.BytesIO(), list[str]()
    writer = writer_to(log, shown, "secret", "also secret too")
    writer.feed(b"x" * (1_048_570 + after) + b"secret" + b"y" * 20)
    writer.feed(b"::add-mask::z")
    assert len(log.getvalue()) > 1_000_000
    writer.feed(b"\nz\n")
    writer.finish()
    assert b"secret" not in log.getvalue()
    assert log.getvalue().count(b"***") == 1
    assert log.getvalue().endswith(b"y::add-mask::z\nz\n"), "a command stands at the beginning of a line"


def test_a_mask_that_continues_in_the_next_piece_of_a_long_line_is_hidden() -> None:
    log = io.BytesIO()
    writer = writer_to(log, [], "secret")
    for piece in (b"x" * 1_048_570, b"x" * 10 + b"sec", b"ret" + b"x" * 1_048_577, b"\n"):
        writer.feed(piece)
    assert b"sec" not in log.getvalue()
    assert log.getvalue().count(b"***") == 1


def test_bytes_that_are_not_utf8_are_kept_in_the_log() -> None:
    log = io.BytesIO()
    writer = writer_to(log, [])
    writer.feed(b"\xff\xfe\n::notice::\xff\n")
    assert log.getvalue() == b"\xff\xfe\n##[notice]notice: \xff\n"


def test_lines_are_matched_and_the_rest_is_as_it_was() -> None:
    log = io.BytesIO()
    memory = AttemptMemory(Masks(["secret"]), Matchers(NOWHERE))
    memory.matchers.add(Matcher("x", "", [Pattern(compile_regexp("^BAD (.*)$"), (("message", 1),))]))
    commands = StepCommands(memory, workspace=NOWHERE, env={})
    writer = LogWriter(log, commands, lambda _: None)
    for piece in (b"a\nBA", b"D secret\r\nb\xff\r\n", b"::remove-matcher owner=x::\nBAD\n"):
        writer.feed(piece)
    assert log.getvalue() == b"a\n##[error]BAD ***\nb\xff\r\nBAD\n"
    assert [str(annotation) for annotation in commands.masked_annotations()] == ["error: ***"]


def test_a_matcher_that_is_too_slow_is_named_below_the_line() -> None:
    log = io.BytesIO()
    memory = AttemptMemory(Masks(), Matchers(NOWHERE))
    memory.matchers.add(Matcher("slow", "", [Pattern(compile_regexp("^(a|aa)+$"), (("message", 1),))]))
    line = "a" * 200 + "b"
    writer = LogWriter(log, StepCommands(memory, workspace=NOWHERE, env={}), lambda _: None)
    writer.feed(f"{line}\n{line}\n".encode())
    warning = "the problem matcher 'slow' took longer than 1 s for one line and was removed"
    assert log.getvalue().decode() == f"{line}\n##[warning]warning: {warning}\n{line}\n"


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.sampled_from(
            [
                b"\n",
                b"\r\n",
                b"::add-mask::ab\n",
                b"::stop-commands::t\n",
                b"::t::\n",
                b"##[group]x\n",
                b"secret",
                b"a",
                b"b",
            ]
        ),
    ),
    max_size=12,
).map(b"".join)


@given(PIECES, st.lists(st.integers(0, 200), max_size=5))
def test_pieces_do_not_matter(data: bytes, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(bounds)]
    assert written(*pieces, masks=("ab", "secret")) == written(data, masks=("ab", "secret"))
