"""Hidden texts: as they are, in pieces of lines, and in the forms that programs give them."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skyflow._util.masking import Masks


@pytest.mark.parametrize(
    ("masks", "text", "hidden"),
    [
        (("one\ntwo",), "x one\ny two\n", "x ***\ny ***\n"),
        (("one\r\ntwo",), "one\ntwo\r\n", "***\n***\r\n"),
        (("secret", "secretive"), "secretive secret\n", "*** ***\n"),
        (("", " ", "\n", "\t"), "a b\n", "a b\n"),
        (("abc", "bcd"), "abcd abbcd\n", "*** ab***\n"),
        (("ab",), "ababab a b\n", "*** a b\n"),
        (("aa",), "aaa\n", "***\n"),
        (("x",), "xyx\n", "***y***\n"),
        (("*",), "a*b", "a***b"),
        (("ä",), "bär", "b***r"),
        ((), "nothing\n", "nothing\n"),
    ],
)
def test_what_is_hidden(masks: tuple[str, ...], text: str, hidden: str) -> None:
    assert Masks(masks).hide_text(text) == hidden
    assert Masks(masks).hide(text.encode()) == hidden.encode()


@pytest.mark.parametrize(
    ("secret", "seen"),
    [
        ("pass word/+1", quote("pass word/+1", safe="")),
        ('say "hi" twice', json.dumps('say "hi" twice')[1:-1]),
        ("bär%bär", json.dumps("bär%bär")[1:-1]),
        ("a<b>&'c'", "a&lt;b&gt;&amp;&apos;c&apos;"),
        ("it's so", "it''s so"),
        ('he"llo', 'he\\"llo'),
        ('"quoted text"', "quoted text"),
        ("part one&part two", "part one&"),
        ("part one&+part two", "art two"),
        ("line one\nline two", json.dumps("line one\nline two")[1:-1]),
        ("line one\nline 'two\"", repr("line one\nline 'two\"")[1:-1]),
        ("it's C:\\so", repr("it's C:\\so")[1:-1]),
        ("it's so", "it'\\''s so"),  # `set -x`
        ("it's\tso", "it\\'s\\tso"),  # the same, in $'...'
        ("pass word&", "pass+word%26"),
        ("line one\nline two", base64.b64encode(b"line one\nline two").decode().rstrip("=")),
        ("\xff\xfe\xfd secret", base64.urlsafe_b64encode("\xff\xfe\xfd secret".encode()).decode().rstrip("=")),
    ],
)
def test_forms_are_hidden_too(secret: str, seen: str) -> None:
    assert Masks([secret]).hide_text(f"[{seen}]") == "[***]"


@given(st.binary(max_size=4), st.binary(max_size=4))
def test_base64_is_hidden_wherever_the_secret_stands_in_it(before: bytes, after: bytes) -> None:
    secret = "correct horse battery"
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    shown = Masks([secret]).hide_text(encoded)
    assert "***" in shown
    around = len(before) // 3 * 4 + 4 + len(after) // 3 * 4 + 8
    assert len(shown.replace("***", "")) <= around


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert Masks(["\ud800 secret"]).hide_text("x\ud800y") is not None


def test_short_secrets_are_hidden_but_not_their_short_forms() -> None:
    masks = Masks(["ab"])
    assert masks.values == ("ab",)
    assert masks.hide_text("cab YWI") == "c*** YWI"


def test_values_come_longest_first_and_a_copy_is_apart() -> None:
    masks = Masks(["secret"])
    copy = masks.copy()
    copy.add("another one")
    assert list(copy.values) == sorted(copy.values, key=len, reverse=True)
    assert masks.hide_text("another one") == "another one"
    assert copy.hide_text("another one, secret") == "***, ***"


@given(st.lists(st.text(max_size=6), max_size=4), st.text(max_size=30))
def test_nothing_hidden_is_left(masks: list[str], text: str) -> None:
    hidden = Masks(masks)
    left = hidden.hide(text.encode(errors="replace")).split(b"***")
    assert not any(
        value.encode(errors="surrogateescape") in piece
        for value in hidden.values
        for piece in left
        if b"*" not in piece
    )


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3), st.lists(st.text("abc", max_size=9)))
@example(["aa"], ["aaaaa", "a"])
@example(["abbbbb", "ab", "bc"], ["abbbb", "bc"])
def test_data_that_comes_in_pieces_is_hidden_as_in_one(masks: list[str], pieces: list[str]) -> None:
    hidden = Masks(masks)
    shown, rest = b"", b""
    for piece in pieces:
        more, rest = hidden.hide_begun(rest + piece.encode())
        shown += more
        assert len(rest) < 2 * hidden.longest
    shown += hidden.hide(rest)
    assert shown.replace(b"***", b"") == hidden.hide("".join(pieces).encode()).replace(b"***", b"")
