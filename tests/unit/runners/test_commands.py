"""Which lines are commands, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.runners.output.commands import COMMANDS, Command, parse_command


@pytest.mark.parametrize(
    ("line", "name", "properties", "data"),
    [
        ("::debug::hi", "debug", {}, "hi"),
        ("::error file=a.py,line=3::broken", "error", {"file": "a.py", "line": "3"}, "broken"),
        ("  \t::NOTICE::hi ", "notice", {}, "hi "),
        ("::warning FILE=A.py::", "warning", {"file": "A.py"}, ""),
        ("::error::a::b", "error", {}, "a::b"),
        ("::error :: x", "error", {}, " x"),
        ("::error ,,a=1,,=2,b=,c::x", "error", {"a": "1"}, "x"),
        ("::error file=a=b::x", "error", {"file": "a=b"}, "x"),
        ("::error file=c%3A%5Cx%2Cy%25::100%25%0Anext%0D", "error", {"file": "c:%5Cx,y%"}, "100%\nnext\r"),
        ("::error::%250A", "error", {}, "%0A"),
        ("::error::%2525", "error", {}, "%25"),
        ("::error::%3A%2C", "error", {}, "%3A%2C"),
        ("::endgroup::", "endgroup", {}, ""),
        ("##[error]old", "error", {}, "old"),
        ("##[set-output name=a;x=%5D%3B]v%5D%0A%25", "set-output", {"name": "a", "x": "];"}, "v]\n%"),
        ("said: ##[warning]x", "warning", {}, "x"),
        ("::nothing:: ##[error]x", "error", {}, "x"),
    ],
)
def test_commands(line: str, name: str, properties: dict[str, str], data: str) -> None:
    assert parse_command(line) == Command(name, properties, data)


@pytest.mark.parametrize(
    "line",
    ["", "::", "::::", ":: error::x", "::error:x", "error::x", "x ::error::y", "::nothing::x", "##[", "##[error",
     "##[ error]x", "##[nothing]x", "## [error]x", "##[group", "::set-output name=a:b"],
)  # fmt: skip
def test_plain_output(line: str) -> None:
    assert parse_command(line) is None


@given(
    st.lists(st.sampled_from([*":#[]=,; %0ADd25", "::", "##[", "error", "group", "é", "\ud800"]), max_size=20).map(
        "".join
    )
)
def test_reading_never_fails(line: str) -> None:
    command = parse_command(line)
    assert command is None or command.name in COMMANDS


@given(st.text(), st.dictionaries(st.text("abc", min_size=1), st.text(min_size=1), max_size=3))
def test_what_the_toolkit_writes_is_read_back(data: str, properties: dict[str, str]) -> None:
    def escaped(text: str) -> str:
        return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")

    pairs = ",".join(
        f"{name}={escaped(value).replace(':', '%3A').replace(',', '%2C')}" for name, value in properties.items()
    )
    command = parse_command(f"::notice {pairs}::{escaped(data)}")
    assert command is not None
    assert command.data == data
    assert {name: value.strip() for name, value in command.properties.items()} == {
        name: value.strip() for name, value in properties.items() if value.strip() or name in command.properties
    }
