"""The documented subset of `.env` files."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.errors import UsageError
from skyflow.vault.dotenv import parse_dotenv, read_dotenv


def values(text: str) -> list[tuple[str, str]]:
    return [(entry.name, entry.value) for entry in parse_dotenv(text, path="f")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A=b", "b"),
        ("  A = b  ", "b"),
        ("export A=b", "b"),
        ("\texport\tA=b", "b"),
        ("A=", ""),
        ("A=b c", "b c"),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=#b", "#b"),
        ("A= # comment", ""),
        ("A=b=c==", "b=c=="),
        ("A=it's", "it's"),
        ("A=$HOME", "$HOME"),
        (r"A=a\nb", r"a\nb"),
        (r"A='a\nb $x'", r"a\nb $x"),
        (r'A="a\nb \"c\" \\ \$x \z"', 'a\nb "c" \\ $x \\z'),
        ('A="a # b" # comment', "a # b"),
        ("A='a # b'", "a # b"),
        ("A='a\nb\n'", "a\nb\n"),
        ('A="a\r\nb"\r\n', "a\nb"),
        ("A=''", ""),
    ],
)
def test_one_assignment(text: str, value: str) -> None:
    assert values(text) == [("A", value)]
    assert values(f"# before\n\n{text}\n\n   \n# after\nZ=1") == [("A", value), ("Z", "1")]


def test_nothing_is_nothing() -> None:
    assert values("") == values("\n\n") == values("# only\n") == []


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("A=1\nnonsense hush", 2, "expected NAME=value"),
        ("A='1\n2'\n=hush", 3, "expected NAME=value"),
        ("\n\nA='hush", 3, "the quote ' is not closed"),
        ('A="hush\\"', 1, 'the quote " is not closed'),
        ("A='hu'sh", 1, "more behind the closing quote"),
        ("hush<<EOF\nx\nEOF", 1, "expected NAME=value"),
    ],
)
def test_a_mistake_has_its_line_but_not_its_text(text: str, line: int, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        values(text)
    assert caught.value.message.startswith(f"f:{line}: ")
    assert why in caught.value.message
    assert "hush" not in caught.value.message + (caught.value.hint or "")


def test_files_that_cannot_be_read_are_named(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*missing: No such file"):
        read_dotenv(tmp_path / "missing")
    file = tmp_path / "latin"
    file.write_bytes(b"A=1\nB=\xe4\n")
    with pytest.raises(UsageError, match=r"latin:2: this is not UTF-8"):
        read_dotenv(file)
    file.write_bytes(b"\xef\xbb\xbfA=1\n")
    assert [entry.name for entry in read_dotenv(file)] == ["A"]


def test_an_entry_does_not_show_its_value() -> None:
    assert "hush" not in repr(parse_dotenv("A=hush", path="f"))


@given(st.text(st.characters(exclude_characters="\r", codec="utf-8")))
def test_any_value_can_be_written(value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert values(f'A="{escaped}"') == [("A", value)]
    if "'" not in value:
        assert values(f"A='{value}' # comment\nB=1") == [("A", value), ("B", "1")]


@given(st.text(st.sampled_from("A='\"\\# \n\t$x")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert all(name for name, _ in values(text))
