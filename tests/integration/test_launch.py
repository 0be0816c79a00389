"""What a run is started with, from the library: inputs, variables, secrets, events, names."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import skyflow
from skyflow.app.project import find_project
from skyflow.app.showing.history import read_run
from skyflow.diagnostics import Span
from skyflow.errors import ExpressionError, UsageError
from skyflow.expr import parse_template
from skyflow.model.workflow import Authored, DispatchInput, InputType
from skyflow.report.history import render_runs

HERE = Span(1, 1, 1, 1)
INPUTS = (
    DispatchInput(name="who", span=HERE, required=True),
    DispatchInput(name="loud", span=HERE, type=InputType.BOOLEAN),
    DispatchInput(name="times", span=HERE, type=InputType.NUMBER, default=2.0),
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SKYFLOW_STATE", raising=False)
    return tmp_path


def workflow(value: str, *, run_name: str | None = None, dispatch: tuple[DispatchInput, ...] = ()) -> skyflow.Workflow:
    """Return a workflow with one job, whose output `seen` is the value."""
    text = (
        "name: greet\non: workflow_dispatch\njobs:\n  a:\n    runs-on: local\n"
        "    outputs: {seen: '${{ steps.s.outputs.seen }}'}\n    steps:\n      - id: s\n"
        f"        env: {{SEEN: {json.dumps(value)}}}\n"
        '        run: echo "seen=$SEEN" >> "$GITHUB_OUTPUT"\n'
    )
    Path("w.yml").write_text(text)
    loaded = skyflow.load_workflow("w.yml")
    name = None if run_name is None else Authored(parse_template(run_name), HERE)
    return replace(loaded, run_name=name, dispatch=dispatch)


def seen(result: skyflow.RunResult) -> str | None:
    assert result.is_success
    return result.jobs[0].outputs.get("seen")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("inputs.who", "you"),
        ("toJSON(inputs.loud)", "true"),
        ("github.event.inputs.loud == 'true'", "true"),
        ("toJSON(inputs.times)", "3.5"),
        ("github.event.inputs.times", "3.50"),
        ("toJSON(github.event.inputs.times)", '"3.50"'),
    ],
)
def test_inputs_are_typed_in_one_place_and_text_in_the_other(expression: str, value: str) -> None:
    greet = workflow(f"${{{{ {expression} }}}}", dispatch=INPUTS)
    assert seen(skyflow.run(greet, inputs={"who": "you", "loud": True, "times": "3.50"})) == value


def test_inputs_have_defaults_and_are_checked() -> None:
    greet = workflow("${{ format('{0} {1} {2}', inputs.who, inputs.loud, inputs.times) }}", dispatch=INPUTS)
    assert seen(skyflow.run(greet, inputs={"Who": 7})) == "7 false 2"
    with pytest.raises(UsageError, match="input 'who' must be given"):
        skyflow.run(greet)
    with pytest.raises(UsageError, match="no input 'whom'"):
        skyflow.run(greet, inputs={"whom": "x"})


def test_variables_ignore_case() -> None:
    assert seen(skyflow.run(workflow("${{ vars.A }}${{ vars.a }}${{ vars.gone }}"), vars={"a": "x"})) == "xx"
    with pytest.raises(UsageError, match="vars: this is not a name"):
        skyflow.run(workflow("x"), vars={"a b": "x"})


def test_secrets_reach_steps_and_nothing_else(project: Path) -> None:
    leaky = workflow(
        "${{ secrets.S == 'hush-hush' }} ${{ secrets.gone == '' }}", run_name="by ${{ inputs.who }}", dispatch=INPUTS
    )
    result = skyflow.run(leaky, secrets={"s": "hush-hush"}, inputs={"who": "a hush-hush b"})
    assert seen(result) == "true true"
    assert result.run.display_name == "by a *** b"
    assert result.run.contexts["secrets"] == {}
    assert result.run.secret_names == ("S",)
    with pytest.raises(UsageError, match="secrets: names that begin with GITHUB_ are reserved"):
        skyflow.run(leaky, secrets={"GITHUB_S": "x"})


def test_an_event_is_a_context_and_a_file(project: Path) -> None:
    event = {"ref": "refs/tags/v1", "after": "abc", "number": 7, "nested": {"x": [1, None]}}
    context = "${{ github.event_name }} ${{ github.ref_name }} ${{ github.ref_type }} ${{ github.sha }} ${{ github.event.nested.x[0] }}"
    result = skyflow.run(workflow(context), event=event, event_name="push")
    assert seen(result) == "push v1 tag abc 1"
    github = result.run.contexts["github"]
    assert json.loads(Path(github["event_path"]).read_text()) == event
    with pytest.raises(UsageError, match="--input belongs to workflow_dispatch, not to the event 'push'"):
        skyflow.run(workflow("x", dispatch=INPUTS), event_name="push", inputs={"who": "x"})


def test_a_pull_request_has_its_branches() -> None:
    event = {"number": 7, "pull_request": {"head": {"ref": "topic"}, "base": {"ref": "main"}}}
    context = "${{ github.head_ref }} ${{ github.base_ref }} ${{ github.ref }} ${{ github.ref_name }}"
    result = skyflow.run(workflow(context), event=event, event_name="pull_request")
    assert seen(result) == "topic main refs/pull/7/merge 7/merge"


def test_inputs_of_an_event_count_where_none_are_given() -> None:
    greet = workflow("${{ inputs.who }} ${{ inputs.times }}", dispatch=INPUTS)
    event = {"inputs": {"who": "event", "times": "5"}}
    assert seen(skyflow.run(greet, event=event, inputs={"WHO": "option"})) == "option 5"


def test_a_run_name_tells_runs_apart(project: Path) -> None:
    named = workflow("x", run_name="No. ${{ github.run_number }}\n  of ${{ vars.who }} (${{ github.run_attempt }})")
    skyflow.run(workflow("x"))
    result = skyflow.run(named, vars={"who": "me"})
    assert result.run.display_name == "No. 2 of me (1)"
    assert result.run.title == "greet: No. 2 of me (1)"
    overview = read_run(find_project(), "latest").overview
    cells = render_runs([overview]).table.columns[1]
    assert [str(cell) for cell in cells.cells] == ["greet: No. 2 of me (1)"]


@pytest.mark.parametrize(("run_name", "shown"), [(None, "greet"), ("${{ inputs.gone }}", "greet"), ("  ", "greet")])
def test_an_empty_run_name_is_none(run_name: str | None, shown: str) -> None:
    run = skyflow.run(workflow("x", run_name=run_name)).run
    assert run.display_name is None
    assert run.title == shown


def test_a_run_name_that_fails_starts_nothing() -> None:
    with pytest.raises(ExpressionError, match=r"w\.yml:1:1: "):
        skyflow.run(workflow("x", run_name="${{ fromJSON('x') }}"))
    assert skyflow.run(workflow("x")).run.number == 1
