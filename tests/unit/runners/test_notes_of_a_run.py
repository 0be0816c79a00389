"""What a driver finds of an earlier one is used if that has written it, and else as if it were not there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.model.execution import StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.runners.processes.recovery import Inheritance, Journal, note_begun, note_result, read_attempt

STEP = StepRef("a", 1, 2)
RESULT = StepResult(
    exit_code=3,
    masks=("secret",),
    outputs=(("o", "1"),),
    env=(("E", "2"),),
    path=("/bin",),
    annotations=(Annotation(level=AnnotationLevel.ERROR, message="no"),),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "begun",
    "ended",
    "log",
    "repeatable",
    "result",
    "exit_code",
    "outputs",
    "annotations",
    "started",
    "starting",
    "truncated",
    "pid",
    "keeper",
    "code",
]
LINES = st.lists(
    st.binary(max_size=20) | st.dictionaries(st.sampled_from(NAMES), VALUES | st.sampled_from(["1", "1.2"]))
)


def written(folder, line, *, to="results.jsonl"):
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    with (folder / to).open("ab") as file:
        file.write(data + b"\n")


def test_what_was_noted_is_found(tmp_path):
    note_begun(tmp_path, STEP, tmp_path / "no.log")
    note_result(tmp_path, STEP, RESULT)
    note_begun(tmp_path, StepRef("a", 1, 3), tmp_path / "no.log", is_repeatable=True)
    found = read_attempt(tmp_path)
    assert (found.results, found.open, found.repeatable) == ({"2": [RESULT]}, {"3": 0}, {"3"})


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"begun": 5, "log": 0},
        {"begun": "../1", "log": 0},
        {"begun": "1"},
        {"begun": "1", "log": 10**30},
        {"ended": "2"},
        {"ended": "2", "result": []},
        {"ended": "2", "result": {"exit_code": "0"}},
        {"ended": "2", "result": {"exit_code": 0, "outputs": [["only a name"]]}},
        {"ended": "2", "result": {"exit_code": 0, "outputs": {"a": "b"}}},
        {"ended": "2", "result": {"exit_code": 0, "path": "/bin"}},
        {"ended": "2", "result": {"exit_code": 0, "annotations": [5]}},
    ],
)
def test_an_attempt_with_other_notes_is_not_gone_on_with(tmp_path, line):
    note_result(tmp_path, STEP, RESULT)
    written(tmp_path, line)
    assert read_attempt(tmp_path) is None


def test_a_log_is_never_made_longer(tmp_path):
    folder = RunFolder(tmp_path)
    folder.temp("a", 1).mkdir(parents=True)
    folder.log(STEP).parent.mkdir(parents=True)
    folder.log(STEP).write_bytes(b"said")
    written(folder.temp("a", 1), {"begun": "2", "log": 2**50})
    inheritance = Inheritance(folder)
    inheritance.recall("a", 1)
    inheritance.repeat(STEP)
    assert folder.log(STEP).read_bytes() == b"said"


@pytest.mark.parametrize("pid", [-1, 0, 1, None, "5", 2**60])
def test_what_no_keeper_has_written_is_nobody_to_end(tmp_path, pid):
    journal = Journal(tmp_path / "keeper.jsonl")
    written(tmp_path, {"started": "a", "pid": pid, "keeper": 500}, to="keeper.jsonl")
    written(tmp_path, {"started": "b", "pid": 500, "keeper": 501}, to="keeper.jsonl")
    assert journal.read().keys() == {"b"}


@given(lines=LINES)
def test_nothing_that_is_found_breaks_anything(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("notes")
    for line in lines:
        written(folder, line)
        written(folder, line, to="keeper.jsonl")
    read_attempt(folder)
    Journal(folder / "keeper.jsonl").read()
