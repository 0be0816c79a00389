"""The format of GITHUB_OUTPUT, GITHUB_ENV and GITHUB_PATH."""

from pathlib import Path

import pytest

from skyflow.runners.output.files import (
    ANSWER_LIMIT_BYTES,
    CommandFiles,
    FileCommandError,
    WrittenElsewhere,
    parse_paths,
    parse_variables,
    read_answers,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("a=1\n", (("a", "1"),)),
        ("a=1", (("a", "1"),)),
        ("\n\na=1\n\nb=2\n", (("a", "1"), ("b", "2"))),
        ("a=b=c<<d\n", (("a", "b=c<<d"),)),
        ("a=\n", (("a", ""),)),
        ("a<<EOF\none\ntwo\nEOF\n", (("a", "one\ntwo"),)),
        ("a<<EOF\nEOF\n", (("a", ""),)),
        ("a<<EOF\n\n\nx\n\nEOF\nb=1\n", (("a", "\n\nx\n"), ("b", "1"))),
        ("a<<E=F\nx\nE=F\n", (("a", "x"),)),
        ("a<<EOF\none\r\nEOF\n", (("a", "one\r"),)),
        ("a=1\na=2\n", (("a", "2"),)),
        (" a = 1 \n", ((" a ", " 1 "),)),
    ],
)
def test_entries_are_read_as_github_reads_them(text: str, expected: tuple) -> None:
    assert parse_variables(text, command="output") == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing\n", "Invalid format 'nothing'"),
        ("=1\n", "Name must not be empty"),
        ("<<EOF\nx\nEOF\n", "Name and delimiter must not be empty"),
        ("a<<\nx\n\n", "Name and delimiter must not be empty"),
        ("a<<EOF\nx\nEOF \n", "Matching delimiter not found 'EOF'"),
    ],
)
def test_anything_else_fails_the_step_with_githubs_words(text: str, why: str) -> None:
    with pytest.raises(FileCommandError) as caught:
        parse_variables(text, command="output")
    assert str(caught.value).startswith("Unable to process file command 'output' successfully.")
    assert why in str(caught.value)


def test_the_last_path_comes_first() -> None:
    assert parse_paths("/a\n\n/b\n") == ("/b", "/a")


def test_files_that_nobody_reads_come_to_be_when_they_are_written_unless_another_user_writes(tmp_path: Path) -> None:
    files = CommandFiles(tmp_path, "1")
    paths = {name: Path(path) for name, path in files.variables()}
    unread = {"GITHUB_ARTIFACTS", "GITHUB_ARTIFACTS_LIST"}
    assert {name for name, path in paths.items() if not path.exists()} == unread
    files.open_to_all()
    assert {path.stat().st_mode & 0o777 for path in paths.values()} == {0o666}


@pytest.mark.parametrize("kind", ["output", "env", "state", "path"])
def test_what_is_too_large_to_be_stored_with_a_run_is_refused(kind: str) -> None:
    just = b"a=" + b"x" * (ANSWER_LIMIT_BYTES - 2)
    read_answers(WrittenElsewhere({kind: just}))
    with pytest.raises(FileCommandError, match=f"It has {ANSWER_LIMIT_BYTES + 1} bytes"):
        read_answers(WrittenElsewhere({kind: just + b"x"}))
