"""What commands do: what is seen of them, what is kept, and what fails the step."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from skyflow._util.masking import Masks
from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.runners.output import obey
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.obey import AttemptMemory, StepCommands


class Step:
    """A step whose output is given line by line."""

    def __init__(self, workspace: Path, **env: str) -> None:
        self.memory = AttemptMemory(Masks(), Matchers(workspace))
        self.commands = StepCommands(self.memory, workspace=workspace, env=env)

    def print(self, *lines: str) -> list[str]:
        shown: list[str] = []
        for line in lines:
            command = self.commands.parse(line)
            if command is None:
                shown.append(self.commands.match(line) or line)
            elif text := self.commands.obey(command, line):
                shown += text.split("\n")
        return shown

    @property
    def annotations(self) -> list[str]:
        return [str(annotation) for annotation in self.commands.masked_annotations()]


@pytest.fixture
def step(tmp_path: Path) -> Callable[..., Step]:
    return lambda **env: Step(tmp_path, **env)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("::error::bad", "error: bad"),
        ("::warning title=Hm::odd", "warning: Hm: odd"),
        ("::notice file=a.py::x", "a.py: notice: x"),
        ("::error file=a.py,line=3::x", "a.py:3: error: x"),
        ("::error file=a.py,line=3,col=5,endColumn=9::x", "a.py:3:5: error: x"),
        ("::error line=3::x", "error: x"),
        ("::error file=a.py,line=three::x", "a.py: error: x"),
        ("::error file=a.py,line=99999999999::x", "a.py: error: x"),
    ],
)
def test_annotations_have_one_form(step, line: str, seen: str) -> None:
    s = step()
    assert s.print(line) == [f"##[{line.lstrip(':').replace('::', ' ').partition(' ')[0]}]{seen}"]
    assert s.annotations == [seen]
    assert s.commands.error is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("endLine=4", (4, 4, None, None)),
        ("line=2,endColumn=7", (2, None, 7, 7)),
        ("col=3", (None, None, None, None)),
        ("line=2,endLine=4,col=1,endColumn=2", (2, 4, None, None)),
        ("line=2,endLine=2,col=1,endColumn=2", (2, 2, 1, 2)),
        ("line=5,endLine=4", (None, None, None, None)),
        ("line=5,col=9,endColumn=2", (5, None, None, None)),
    ],
)
def test_numbers_that_contradict_each_other(step, given: str, kept: tuple) -> None:
    s = step()
    s.print(f"::error {given}::x")
    found = s.commands.masked_annotations()[0]
    assert (found.line, found.end_line, found.column, found.end_column) == kept


def test_files_of_the_workspace_are_named_as_seen_from_there(step, tmp_path: Path) -> None:
    s = step()
    s.print(f"::error file={tmp_path}/src/a.py::x", "::error file=/elsewhere/b.py::x")
    assert s.annotations == ["src/a.py: error: x", "/elsewhere/b.py: error: x"]


def test_ten_of_each_level_are_kept_and_the_rest_is_counted(step) -> None:
    s = step()
    assert len(s.print(*[f"::error::{n}" for n in range(13)], *["::warning::w"] * 11, "::notice::n")) == 25
    assert s.annotations[:10] == [f"error: {n}" for n in range(10)]
    assert len(s.annotations) == 22
    assert s.annotations[-1] == "notice: not kept: 3 errors, 1 warning more; a step keeps 10 annotations of each level"


def test_what_is_masked_later_is_hidden_in_what_is_kept(step) -> None:
    s = step()
    s.print("::error title=hush,file=hush.py::say hush", "::add-mask::hush")
    assert s.annotations == ["***.py: error: ***: say ***"]


def test_bytes_that_are_not_utf8_are_replaced_in_what_is_kept(step) -> None:
    s = step()
    s.print("::error::\udcff", "::set-output name=\udcfe::\udcfd")
    assert s.annotations[0] == "error: \ufffd"
    assert s.commands.written.outputs == {"\ufffd": "\ufffd"}


def test_long_messages_are_cut(step) -> None:
    s = step()
    s.print("::error::" + "x" * 10_000)
    assert len(s.annotations[0]) < 5000


def test_groups_leave_their_titles(step) -> None:
    assert step().print("::group::Two%0Alines", "x", "::endgroup::") == ["##[group]Two lines", "x", "##[endgroup]"]


def test_debug_lines_are_only_there_while_debugging(step) -> None:
    assert step().print("::debug::a%0Ab") == []
    assert step(RUNNER_DEBUG="1").print("::debug::a%0Ab") == ["##[debug]a", "##[debug]b"]


def test_echo_shows_commands_that_are_not_seen_otherwise(step) -> None:
    s = step()
    lines = s.print("::echo::on", "::set-output name=a::1", "::add-mask::hush", "::error::x", "::echo::OFF")
    assert lines[0] == "::set-output name=a::1"
    assert lines[2:] == ["::add-mask::***", "##[error]error: x", "::echo::OFF"]
    assert s.print("::set-output name=a::2") == []


def test_commands_from_before_there_were_files(step) -> None:
    s = step()
    s.print("::set-output name=a::1", "::set-output name=b::x%0Ay", "::save-state name=s::2", "##[set-output name=a]3")
    assert s.commands.written.outputs == {"a": "3", "b": "x\ny"}
    assert s.commands.written.state == {"s": "2"}
    assert s.annotations == [
        "notice: `set-output` is deprecated: write to the file $GITHUB_OUTPUT instead",
        "notice: `save-state` is deprecated: write to the file $GITHUB_STATE instead",
    ]


@pytest.mark.parametrize("name", ["set-env name=A", "add-path"])
def test_withdrawn_commands_fail_the_step(step, name: str) -> None:
    s = step()
    s.print(f"::{name}::/x")
    assert f"Unable to process command '::{name}::/x' successfully." in (s.commands.error or "")
    assert "ACTIONS_ALLOW_UNSECURE_COMMANDS" in s.annotations[0]
    assert not s.commands.written.env
    assert not s.commands.written.path


def test_withdrawn_commands_work_where_they_are_allowed(step) -> None:
    s = step(ACTIONS_ALLOW_UNSECURE_COMMANDS=" True")
    assert s.print("::set-env name=A::1", "::add-path::/a", "::add-path::/b") == []
    assert s.commands.written.env == {"A": "1"}
    assert s.commands.written.path == ["/b", "/a"]
    s.print("::set-env name=node_options::x")
    assert "reserved" in (s.commands.error or "")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("::set-output::x", "`name` is missing"),
        ("::echo::loud", "echo is 'on' or 'off', not 'loud'"),
        ("::stop-commands::", "The token of stop-commands is empty"),
        ("::stop-commands::Error", "or the name of a command"),
        ("::stop-commands::pause-logging", "or the name of a command"),
    ],
)
def test_what_cannot_be_obeyed_fails_the_step(step, line: str, why: str) -> None:
    s = step()
    assert s.print(line)[0].startswith("##[error]error: Unable to process command")
    assert why in (s.commands.error or "")
    assert s.print("::notice::still obeyed") == ["##[notice]notice: still obeyed"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("::add-mask:: ", "nothing to hide"),
        ("::add-matcher::", "names no file"),
        ("::add-matcher::no.json", "no.json cannot be read: No such file"),
        ("::add-matcher::bad.json", "bad.json is not JSON"),
        ("::remove-matcher::", "an owner or a file, one of both"),
        ("::remove-matcher owner=a::b", "an owner or a file, one of both"),
        ("::remove-matcher::no.json", "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_a_warning(step, tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "bad.json").write_text("{")
    s = step()
    assert why in s.print(line)[0]
    assert s.commands.error is None
    assert s.commands.masked_annotations()[0].level is AnnotationLevel.WARNING


def test_stopped_commands(step) -> None:
    s = step()
    lines = s.print("::stop-commands::Pause 1", "::error::x", "##[group]x", "::Pause::")
    assert lines == ["::error::x", "##[group]x", "::Pause::"]
    s = step()
    assert s.print("::stop-commands::pAuse", "::error::x", "  ::PAUSE a=b::z", "::debug::") == ["::error::x"]


def test_weak_tokens_can_be_allowed(step) -> None:
    s = step(ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS="true")
    assert s.print("::stop-commands::error", "::notice::x", "::error::", "::debug::x") == ["::notice::x"]


def test_matchers_are_added_replaced_and_removed(step, tmp_path: Path) -> None:
    def write(name: str, owner: str, severity: str) -> None:
        pattern = {"regexp": "^BAD (.+)$", "message": 1}
        matcher = {"owner": owner, "severity": severity, "pattern": [pattern]}
        (tmp_path / name).write_text(json.dumps({"problemMatcher": [matcher]}))

    write("one.json", "me", "warning")
    write("two.json", "ME", "notice")
    s = step()
    assert s.print("BAD x", "::add-matcher::one.json", "\x1b[31mBAD\x1b[0m y") == ["BAD x", "##[warning]BAD y"]
    assert s.print(f"::add-matcher::{tmp_path}/two.json", "BAD z") == ["##[notice]BAD z"]
    assert s.annotations == ["warning: y", "notice: z"]
    assert s.print("::remove-matcher owner=Me::", "BAD x") == ["BAD x"]
    assert s.print("::add-matcher::one.json", "::remove-matcher::two.json", "BAD x") == ["BAD x"]


def test_annotations_go_to_json_and_back() -> None:
    whole = Annotation(
        level=AnnotationLevel.NOTICE,
        message="m",
        title="t",
        file="f",
        line=1,
        end_line=2,
        column=3,
        end_column=4,
        code="c",
    )
    for annotation in (whole, Annotation(level=AnnotationLevel.ERROR, message="")):
        assert Annotation.from_json(json.loads(json.dumps(annotation.to_json()))) == annotation
    assert str(whole) == "f:1:3: notice: t: m (c)"


def test_commands_say_no_more_than_is_stored_with_a_run(step: Callable[..., Step], monkeypatch) -> None:
    monkeypatch.setattr(obey, "ANSWER_LIMIT_BYTES", 20)
    s = step(ACTIONS_ALLOW_UNSECURE_COMMANDS="true")
    s.print("::set-output name=a::123456789", "::save-state name=b::1234", "::set-env name=c::12345", "::add-path::1")
    assert s.commands.written.outputs == {"a": "123456789"}
    assert s.commands.written.state == {"b": "1234"}
    assert not s.commands.written.env
    assert not s.commands.written.path
    assert "20 bytes in all" in s.commands.error


def test_the_texts_of_an_annotation_have_an_end(step: Callable[..., Step]) -> None:
    s = step()
    s.print(f"::error title={'t' * 9999},file={'f' * 9999}::{'m' * 9999}")
    [annotation] = s.commands.masked_annotations()
    assert (len(annotation.title), len(annotation.file), len(annotation.message)) == (4096, 4096, 4096)
