"""Descriptions of local actions."""

import pytest

from skyflow.errors import WorkflowInvalidError
from skyflow.model.action import CompositeRuns, DockerRuns, NodeRuns
from skyflow.model.workflow import RunStep, UsesStep
from skyflow.spec import load_action

COMPOSITE = """\
name: Tool
description: Does things.
author: somebody
branding: {icon: x}
inputs:
  place: {description: Where., required: true}
  how: {default: '${{ github.ref }}', deprecationMessage: no more}
  bare:
outputs:
  tag: {description: The tag., value: '${{ steps.tag.outputs.value }}'}
runs:
  using: composite
  steps:
    - {id: tag, run: make, shell: bash, if: 'inputs.place == github.ref'}
    - {uses: ./other, with: {a: '${{ inputs.how }}'}, continue-on-error: true}
"""


def test_a_composite_action():
    action = load_action("tool/action.yml", COMPOSITE)
    assert (action.path, action.name, action.description) == ("tool/action.yml", "Tool", "Does things.")
    assert [(each.name, each.required, each.deprecation) for each in action.inputs] == [
        ("place", True, None),
        ("how", False, "no more"),
        ("bare", False, None),
    ]
    assert [each.default is None for each in action.inputs] == [True, False, True]
    assert action.outputs[0].value.template.source == "${{ steps.tag.outputs.value }}"
    assert isinstance(action.runs, CompositeRuns)
    run, uses = action.runs.steps
    assert isinstance(run, RunStep)
    assert (run.key, run.shell.template.source) == ("tag", "bash")
    assert isinstance(uses, UsesStep)
    assert (uses.key, uses.uses) == ("__self", "./other")


def test_a_javascript_action():
    runs = load_action(
        "action.yml", "runs: {using: node24, main: a.js, pre: b.js, pre-if: always(), post: c.js, post-if: success()}"
    ).runs
    assert runs == NodeRuns(using="node24", main="a.js", has_pre=True, post="c.js", post_if="success()")


def test_a_container_action():
    runs = load_action(
        "action.yml", "runs: {using: docker, image: Dockerfile, args: ['${{ inputs.x }}'], env: {A: b}, entrypoint: /x}"
    ).runs
    assert isinstance(runs, DockerRuns)
    assert (runs.image, len(runs.args), len(runs.env), runs.entrypoint) == ("Dockerfile", 1, 1, "/x")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 1)),
        ("name: x", (1, 1)),
        ("runs: {using: composite, steps: [{run: make}]}", (1, 34)),
        ("runs: {using: composite, steps: [{run: x, shell: bash, timeout-minutes: 3}]}", (1, 56)),
        ("runs: {using: composite, steps: [{run: x, shell: bash, background: true}]}", (1, 56)),
        ("runs: {using: composite, steps: [{run: '${{ secrets.x }}', shell: bash}]}", (1, 40)),
        ("runs: {using: composite, steps: [{run: x, shell: bash, if: vars.x}]}", (1, 60)),
        ("runs: {using: rust, main: x}", (1, 15)),
        ("runs: {using: node24}", (1, 7)),
        ("inputs: {a: {default: '${{ inputs.b }}'}}\nruns: {using: node24, main: x}", (1, 23)),
        (b"\xff", (1, 1)),
    ],
)
def test_mistakes_have_their_places(text, place):
    with pytest.raises(WorkflowInvalidError) as caught:
        load_action("action.yml", text)
    first = caught.value.diagnostics[0]
    assert (first.span.line, first.span.column) == place
