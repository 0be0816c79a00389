"""`if`, `continue-on-error`, and what one job's end means for the others."""

from collections.abc import Callable

import pytest

from skyflow.model.status import Conclusion, Reason, Status

STEP = "runs-on: local, steps: [{run: 'true'}]"


@pytest.mark.parametrize(
    ("condition", "after_success", "after_failure", "after_skip"),
    [
        ("", True, False, False),
        ("success()", True, False, False),
        ("failure()", False, True, False),
        ("always()", True, True, True),
        ("!cancelled()", True, True, True),
        ("'x' == 'X'", True, False, False),
        ("always() && needs.a.result == 'failure'", False, True, False),
    ],
)
def test_a_condition_of_a_job_sees_how_its_need_ended(
    world: Callable, condition: str, after_success: bool, after_failure: bool, after_skip: bool
) -> None:
    def runs(first: str, code: int | None) -> bool:
        run = world(f'  a: {{{STEP}{first}}}\n  b: {{{STEP}, needs: a, if: "{condition}"}}\n')
        if code is not None:
            run.end("a", code)
        return "b" in {ref.job_key for ref in run.running}

    assert (runs("", 0), runs("", 1), runs(", if: false", None)) == (after_success, after_failure, after_skip)


def test_success_looks_through_an_always_job_at_the_skipped_one_behind_it(world: Callable) -> None:
    run = world(f"  a: {{{STEP}, if: false}}\n  b: {{{STEP}, needs: a, if: always()}}\n  c: {{{STEP}, needs: b}}\n")
    run.end("b")
    assert run.results() == {"a": "skipped", "b": "success", "c": "skipped"}


def test_failure_sees_an_ancestor_that_is_not_needed_directly(world: Callable) -> None:
    run = world(f"  a: {{{STEP}}}\n  b: {{{STEP}, needs: a}}\n  c: {{{STEP}, needs: b, if: failure()}}\n")
    run.end("a", 1)
    assert run.results() == {"a": "failure", "b": "skipped"}
    assert run.step("c")


def test_a_condition_that_cannot_be_evaluated_fails_the_job_with_its_place(world: Callable) -> None:
    run = world(f"  a: {{{STEP}, if: \"fromJSON('nonsense')\"}}\n")
    assert run.results() == {"a": "failure"}
    [move] = [move for move in run.moves if move.reason is Reason.EXPRESSION]
    assert move.message is not None
    assert move.message.startswith("w.yml:3:")


def test_a_failing_job_fails_the_run(world: Callable) -> None:
    assert world(f"  a: {{{STEP}}}\n").end("a", 2).state.conclusion is Conclusion.FAILURE


def test_a_job_that_may_fail_lets_the_run_and_its_dependents_go_on(world: Callable) -> None:
    run = world(f"  a: {{{STEP}, continue-on-error: true}}\n  b: {{{STEP}, needs: a}}\n").end("a", 1).end("b")
    assert run.job("a").outcome is Conclusion.FAILURE
    assert run.job("a").conclusion is Conclusion.SUCCESS
    assert run.state.conclusion is Conclusion.SUCCESS


def test_a_failing_combination_cancels_the_rest_of_its_matrix(world: Callable) -> None:
    run = world(
        "  m: {runs-on: local, strategy: {matrix: {n: [1, 2, 3]}}, steps: [{run: x}, {run: clean, if: always()}]}",
        slots=2,
    )
    run.end("m.0", 1).end("m.0").obey_stops()
    assert run.scripts() == ["clean"]
    run.end("m.1")
    assert run.results() == {"m.0": "failure", "m.1": "cancelled", "m.2": "cancelled"}
    assert run.state.conclusion is Conclusion.FAILURE


def test_without_fail_fast_the_rest_of_a_matrix_goes_on(world: Callable) -> None:
    run = world("  m: {runs-on: local, strategy: {fail-fast: false, matrix: {n: [1, 2]}}, steps: [{run: x}]}", slots=1)
    run.end("m.0", 1).end("m.1")
    assert run.results() == {"m.0": "failure", "m.1": "success"}


def test_a_forgiven_failure_does_not_cancel_the_rest_of_its_matrix(world: Callable) -> None:
    run = world(
        "  m:\n    runs-on: local\n    continue-on-error: ${{ matrix.n == 1 }}\n"
        "    strategy: {matrix: {n: [1, 2]}}\n    steps: [{run: x}]\n"
    )
    run.end("m.0", 1).end("m.1")
    assert run.results() == {"m.0": "success", "m.1": "success"}


def test_the_result_of_a_matrix_is_the_worst_of_its_combinations(world: Callable) -> None:
    run = world(
        "  m: {runs-on: local, strategy: {fail-fast: false, matrix: {n: [1, 2]}}, steps: [{run: x}]}\n"
        f"  after: {{{STEP}, needs: m, if: \"always() && needs.m.result == 'failure'\"}}\n"
    )
    run.end("m.1", 1).end("m.0")
    assert run.step("after")


def test_a_job_that_takes_too_long_is_cancelled_after_its_clean_up(world: Callable) -> None:
    run = world(
        "  a: {runs-on: local, timeout-minutes: 2, steps: [{run: x}, {run: y}, {run: clean, if: cancelled()}]}\n"
        f"  b: {{{STEP}, needs: a}}\n"
    )
    assert list(run.timers.values()) == [120.0]
    run.fire("a").obey_stops()
    assert run.scripts() == ["clean"]
    run.end("a")
    assert run.results() == {"a": "cancelled", "b": "skipped"}
    assert run.moves[-1].conclusion is Conclusion.CANCELLED
    assert Reason.TIMEOUT in {move.reason for move in run.moves}


def test_the_default_time_limit_of_a_job_is_six_hours(world: Callable) -> None:
    assert list(world(f"  a: {{{STEP}}}\n").timers.values()) == [6 * 3600.0]


def test_skipped_jobs_have_no_attempt(world: Callable) -> None:
    run = world(f"  a: {{{STEP}, if: false}}\n")
    assert run.job("a").attempts == 0
    assert run.job("a").status is Status.COMPLETED
