"""Inputs and run names, from the workflow file to what steps see."""

import pytest

WORKFLOW = """\
name: deploy
run-name: ${{ inputs.stage }} by ${{ vars.who }}, no. ${{ github.run_number }}
on:
  workflow_dispatch:
    inputs:
      stage:
        description: Where to?
        type: choice
        options: [test, production]
        required: true
      dry-run: {type: boolean, default: true}
      times: {type: number}
      note: {default: none}
jobs:
  a:
    runs-on: local
    steps:
      - if: ${{ !inputs.dry-run }}
        run: echo wet
      - env: {ALL: '${{ toJSON(inputs) }}', EVENT: '${{ toJSON(github.event.inputs) }}'}
        run: echo $ALL $EVENT; cat "$GITHUB_EVENT_PATH"
"""


def test_inputs_are_given_typed_and_shown_in_the_name_of_the_run(project) -> None:
    project.write(WORKFLOW)
    done = project.skyflow(
        "run", "--input", "stage=test", "-i", "dry-run=false", "-i", "Times=3", "--var", "who=me", "w.yml"
    )
    assert done.err == ""
    assert done.out.startswith("Run 1: deploy: test by me, no. 1; ")
    assert "│ wet\n" in done.out
    assert '{ "stage": "test", "dry-run": false, "times": 3, "note": "none" }' in done.out
    assert '{ "stage": "test", "dry-run": "false", "times": "3", "note": "none" }' in done.out
    assert '│   "inputs": {\n' in done.out
    assert "deploy: test by me, no. 1" in project.skyflow("runs").out
    assert "deploy: test by me, no. 1" in project.skyflow("show").out
    shown = project.skyflow("show", "--json").json
    assert (shown["workflow"], shown["name"]) == ("deploy", "test by me, no. 1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "input 'stage' must be given"),
        (["--input", "stage=Test"], "input 'stage' is one of test or production, not 'Test'; did you mean 'test'?"),
        (["--input", "stage=test", "--input", "dry-run=no"], "input 'dry-run' is true or false, not 'no'"),
        (["--input", "stage=test", "--input", "times=x"], "input 'times' is a number, not 'x'"),
        (["--input", "stag=test"], "did you mean 'stage'?"),
        (["--input", "stage"], "--input: expected NAME=VALUE"),
    ],
)
def test_inputs_that_do_not_fit_are_usage_errors(project, options: list[str], message: str) -> None:
    project.write(WORKFLOW)
    done = project.skyflow("run", *options, "w.yml", code=2)
    assert message in done.err
    assert not (project.folder / ".skyflow").exists()


def test_an_interrupted_run_keeps_its_inputs(project, wait_until) -> None:
    project.write(
        "on: {workflow_dispatch: {inputs: {who: {required: true}}}}\njobs:\n  a:\n    runs-on: local\n    steps:\n"
        "      - {run: 'touch started; until test -e go; do sleep 0.05; done'}\n"
        "      - run: echo '${{ inputs.who }} ${{ vars.v }}'\n"
    )
    process = project.start("run", "-i", "who=you", "--var", "v=x", "w.yml")
    wait_until((project.folder / "started").exists)
    process.kill()
    process.communicate()
    (project.folder / "go").touch()
    assert "│ you x\n" in project.skyflow("resume").out
