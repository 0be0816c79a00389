"""What the options of `skyflow run` give, and what a person is asked."""

import io

import pytest

from skyflow.cli._given import ask_input, read_given
from skyflow.cli._redact import redacted_arguments
from skyflow.diagnostics import Span
from skyflow.errors import UsageError
from skyflow.model.workflow import DispatchInput, InputType

NOTHING = {
    "inputs": None,
    "variables": None,
    "variable_files": None,
    "secrets": None,
    "secret_files": None,
    "event": None,
    "event_name": None,
}


class Person(io.StringIO):
    def isatty(self) -> bool:
        return True


def spec(type_: str = "string", **keys: object) -> DispatchInput:
    return DispatchInput(name="stage", span=Span(1, 1, 1, 1), type=InputType(type_), **keys)


@pytest.mark.parametrize(
    ("declared", "prompt"),
    [
        (spec(), "stage: "),
        (spec(description="Where to?"), "Where to?\nstage: "),
        (spec("choice", options=("a", "b")), "stage (a, b): "),
        (spec("boolean"), "stage (true, false): "),
    ],
)
def test_a_person_is_asked(declared, prompt, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", Person(" b \n"))
    ask = ask_input()
    assert ask is not None
    assert ask(declared, None) == "b"
    assert capsys.readouterr().err == prompt


def test_a_person_is_told_what_was_wrong(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", Person("b\n"))
    ask_input()(spec(description="Where to?"), "must be given")
    assert capsys.readouterr().err == "stage must be given\nstage: "


def test_no_answer_is_an_error_and_nobody_is_not_asked(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", Person(""))
    with pytest.raises(UsageError, match="input 'stage' was not answered"):
        ask_input()(spec(), None)
    monkeypatch.setattr("sys.stdin", io.StringIO("b\n"))
    assert ask_input() is None


def test_events_are_json_objects(tmp_path, monkeypatch) -> None:
    file = tmp_path / "e.json"
    file.write_text('\ufeff{"a": 1}')
    assert read_given(**NOTHING | {"event": str(file)}).event == {"a": 1}
    monkeypatch.setattr("sys.stdin", io.StringIO('{"a": 2}'))
    assert read_given(**NOTHING | {"event": "-"}).event == {"a": 2}
    for text, why in [("[1]", "must hold a JSON object"), ("{", "is not JSON"), (None, "cannot read")]:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        with pytest.raises(UsageError, match=why):
            read_given(**NOTHING | {"event": str(file)})


def test_inputs_keep_what_follows_the_first_sign() -> None:
    given = read_given(**NOTHING | {"inputs": ["a=b=c", "d="], "event_name": "push"})
    assert given.inputs == {"a": "b=c", "d": ""}
    assert given.event_name == "push"
    with pytest.raises(UsageError, match="--input: expected NAME=VALUE"):
        read_given(**NOTHING | {"inputs": ["a"]})


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["run", "--secret", "A=hush", "w.yml"], ["run", "--secret", "***", "w.yml"]),
        (["run", "--secret=A=hush", "w.yml"], ["run", "--secret=***", "w.yml"]),
        (["run", "--secret-file", "f", "--secret"], ["run", "--secret-file", "f", "--secret"]),
    ],
)
def test_command_lines_are_shown_without_secrets(arguments, shown) -> None:
    assert redacted_arguments(arguments) == shown


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": -1e999}', "-1e999 is too large a number"),
        (b'{"a":' * 100_000, "nest too deep"),
        (b'{"a": "\xff"}', "is not JSON"),
        (b"[]", "must hold a JSON object"),
        (b"", "is not JSON"),
    ],
)
def test_an_event_that_is_no_json_object_is_a_usage_error(tmp_path, content: bytes, words: str) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_given(**{**NOTHING, "event": str(file)})


def test_an_event_with_half_a_character_can_be_stored(tmp_path) -> None:
    file = tmp_path / "event.json"
    file.write_text(r'{"title": "a \ud83d b \ud83d\ude00"}')
    assert read_given(**{**NOTHING, "event": str(file)}).event == {"title": "a \ufffd b \U0001f600"}
