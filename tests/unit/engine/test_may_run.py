"""Which jobs of a plan may still need a machine."""

MATRIX = """\
on: push
jobs:
  a: {runs-on: x, outputs: {n: "${{ steps.s.outputs.n }}"}, steps: [{run: a}]}
  b: {runs-on: x, needs: a, strategy: {matrix: {n: [1, 2]}}, steps: [{run: b}]}
  c: {runs-on: x, needs: b, steps: [{run: c}]}
"""


def test_a_job_may_run_until_it_has_ended(world) -> None:
    run = world(MATRIX)
    assert all(run.state.may_run(key) for key in ("a", "b", "b.0", "c"))
    run.end("a")
    assert not run.state.may_run("a")
    assert run.state.may_run("b")
    first, second = run.state.legs["b"]
    assert not run.state.may_run("b.7"), "a matrix that became smaller than it was planned"
    run.end(first)
    assert not run.state.may_run(first)
    assert run.state.may_run("b")
    run.end(second)
    assert not run.state.may_run("b")
    assert run.state.may_run("c")


def test_what_is_skipped_may_not_run(world) -> None:
    run = world(MATRIX).end("a", 1)
    assert not any(run.state.may_run(key) for key in ("a", "b", "c"))
