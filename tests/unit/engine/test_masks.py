"""Secrets of the run do not get into anything that is stored or shown."""

from dataclasses import replace

import pytest

from skyflow.engine.events import RunBegun
from skyflow.expr import Object
from skyflow.model.execution import StepResult

SECRET = "hush-hush-0123456789-0123456789-0123456789-0123456789-0123456789"


@pytest.fixture
def secret_world(world):
    def make(jobs: str):
        unbegun = type(world("  x: {runs-on: local, steps: [{run: 'true'}]}"))(f"on: push\njobs:\n{jobs}")
        root = unbegun.state.root
        frame = replace(root, contexts={**root.contexts, "secrets": Object({"S": SECRET})})
        unbegun.state = replace(unbegun.state, frames={"": frame}, masks=(SECRET,))
        return unbegun.send(RunBegun())

    return make


def told(world) -> str:
    return repr(world.moves)


@pytest.mark.parametrize(
    "step",
    [
        "{run: 'echo ${{ secrets.S }}'}",  # cut in the middle of the secret, were it not hidden before
        "{name: '${{ secrets.S }}', run: x}",
        "{run: x, timeout-minutes: '${{ fromJSON(secrets.S) }}'}",
        "{run: x, timeout-minutes: '${{ secrets.S }}'}",
        "{run: x, if: \"${{ env.S && fromJSON(env.S) }}\", env: {S: '${{ secrets.S }}'}}",
    ],
)
def test_names_and_messages_of_steps(secret_world, step: str) -> None:
    world = secret_world(f"  a: {{runs-on: local, steps: [{step}]}}")
    assert SECRET[:8] not in told(world)


def test_messages_travel_hidden_to_the_attempt_and_the_job(secret_world) -> None:
    world = secret_world("  a: {runs-on: local, steps: [{run: x}]}")
    world.end_with("a", StepResult(exit_code=0, file_error=f"cannot read {SECRET}"))
    assert "cannot read ***" in told(world)
    assert SECRET not in told(world)


def test_a_job_environment_that_fails(secret_world) -> None:
    world = secret_world("  a: {runs-on: local, env: {A: '${{ fromJSON(secrets.S) }}'}, steps: [{run: x}]}")
    assert world.results() == {"a": "failure"}
    assert SECRET not in told(world)


def test_outputs_that_hold_a_secret_are_not_set(secret_world) -> None:
    world = secret_world(
        "  a: {runs-on: local, outputs: {A: 'x${{ secrets.S }}', B: fine}, steps: [{run: x}]}",
    )
    world.end("a")
    assert world.job("a").outputs == (("B", "fine"),)
    assert SECRET not in told(world)
