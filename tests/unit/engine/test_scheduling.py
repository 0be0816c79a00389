"""When jobs start."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from skyflow.engine.effects import TimerKey
from skyflow.engine.events import CancelRequested, Replanned, RunBegun
from skyflow.model.status import Conclusion, Reason, Status
from tests.unit.engine.conftest import BEGAN

STEP = "{runs-on: local, steps: [{run: 'true'}]"


def test_a_job_starts_when_its_own_needs_are_met_and_not_level_by_level(world: Callable) -> None:
    run = world(f"  slow: {STEP}}}\n  quick: {STEP}}}\n  after: {STEP}, needs: quick}}\n")
    run.end("quick")
    assert {ref.job_key for ref in run.running} == {"slow", "after"}


def test_no_more_jobs_run_than_there_are_slots(world: Callable) -> None:
    run = world("".join(f"  j{i}: {STEP}}}\n" for i in range(5)), slots=2)
    assert [ref.job_key for ref in run.running] == ["j0", "j1"]
    run.end("j1")
    assert [ref.job_key for ref in run.running] == ["j0", "j2"]


def test_needs_are_found_whatever_their_case(world: Callable) -> None:
    run = world(f"  Build: {STEP}}}\n  test: {STEP}, needs: build}}\n").end("Build")
    assert run.step("test")


def test_a_diamond_ends_in_success(world: Callable) -> None:
    run = world(f"  a: {STEP}}}\n  b: {STEP}, needs: a}}\n  c: {STEP}, needs: a}}\n  d: {STEP}, needs: [b, c]}}\n")
    run.end("a").end("b")
    assert "d" not in run.state.jobs
    run.end("c").end("d")
    assert run.state.status is Status.COMPLETED
    assert run.state.conclusion is Conclusion.SUCCESS


def test_a_thousand_skipped_jobs_in_a_row_are_settled_at_once(world: Callable) -> None:
    text = f"  j0: {STEP}, if: false}}\n" + "".join(f"  j{i}: {STEP}, needs: j{i - 1}}}\n" for i in range(1, 1000))
    run = world(text)
    assert run.state.status is Status.COMPLETED
    assert set(run.results().values()) == {"skipped"}


def test_a_run_of_skipped_jobs_is_a_success(world: Callable) -> None:
    run = world(f"  a: {STEP}, if: false}}\n")
    assert run.state.conclusion is Conclusion.SUCCESS


def test_a_job_without_a_step_to_run_ends_at_once_and_lets_others_start(world: Callable) -> None:
    run = world(f"  a: {{runs-on: local, steps: [{{run: x, if: false}}]}}\n  b: {STEP}, needs: a}}\n", slots=1)
    assert run.results() == {"a": "success"}
    assert run.step("b")


def test_max_parallel_limits_one_matrix_and_nothing_else(world: Callable) -> None:
    run = world(
        "  m:\n    runs-on: local\n    strategy: {max-parallel: 1, matrix: {n: [1, 2, 3]}}\n    steps: [{run: x}]\n"
        f"  other: {STEP}}}\n"
    )
    assert [ref.job_key for ref in run.running] == ["m.0", "other"]
    run.end("m.0")
    assert {ref.job_key for ref in run.running} == {"m.1", "other"}


LATER = BEGAN + timedelta(hours=2)
PLANNED = TimerKey("b", 0, is_pause=True)


def test_a_job_waits_for_its_planned_start_and_others_take_the_slot(world: Callable) -> None:
    run = world(f"  b: {STEP}}}\n  a: {STEP}}}\n", slots=1, not_before={"b": LATER})
    assert [ref.job_key for ref in run.running] == ["a"]
    assert run.timers == {PLANNED: 7200.0} | {key: limit for key, limit in run.timers.items() if not key.is_pause}
    [queued] = [move for move in run.moves if move.job_key == "b"]
    assert queued.reason is Reason.PLANNED_START
    assert queued.message == "waits for its planned start at 2026-03-01 11:00 UTC"
    run.end("a").fire("b", is_pause=True)
    assert [ref.job_key for ref in run.running] == ["b"]
    run.end("b")
    assert run.results() == {"a": "success", "b": "success"}


def test_a_run_that_is_taken_up_again_still_waits(world: Callable) -> None:
    run = world(f"  b: {STEP}}}\n", not_before={"b": LATER}).stop()
    assert run.state.status is Status.INTERRUPTED
    run.timers.clear()
    run.state = replace(run.state, stop=None)
    run.send(RunBegun())
    assert run.timers == {PLANNED: 7200.0}
    assert not run.running


def test_a_new_plan_changes_until_when_jobs_wait(world: Callable) -> None:
    run = world(f"  b: {STEP}}}\n  c: {STEP}}}\n  d: {STEP}}}\n", slots=1, not_before={"b": LATER, "c": LATER})
    assert [ref.job_key for ref in run.running] == ["d"]
    run.send(Replanned(run.state.rooms, run.state.prices, {"c": LATER + timedelta(hours=1), "d": LATER}))
    assert {key: at for key, at in run.timers.items() if key.is_pause} == {TimerKey("c", 0, is_pause=True): 10800.0}
    run.end("d")  # it runs already, and does not wait any more
    assert [ref.job_key for ref in run.running] == ["b"]
    run.end("b")
    assert not run.running
    run.fire("c", is_pause=True).end("c")
    assert run.results() == {"b": "success", "c": "success", "d": "success"}


def test_a_new_plan_holds_back_jobs_that_have_not_begun(world: Callable) -> None:
    run = world(f"  b: {STEP}}}\n  d: {STEP}}}\n", slots=1)
    run.send(Replanned(run.state.rooms, run.state.prices, {"d": LATER})).end("b")
    assert not run.running
    run.fire("d", is_pause=True).end("d")
    assert run.results() == {"b": "success", "d": "success"}


def test_only_the_first_attempt_waits_for_the_planned_start(world: Callable) -> None:
    job = "{runs-on: local, retry: 2, steps: [{run: 'true'}]}"
    run = world(f"  b: {job}\n", not_before={"b": LATER}).fire("b", is_pause=True)
    run.end("b", 1)
    assert run.job("b").attempts == 2
    assert run.step("b")


def test_every_combination_of_a_matrix_waits_for_the_start_of_its_job(world: Callable) -> None:
    run = world(f"  b: {STEP}, strategy: {{matrix: {{n: [1, 2]}}}}}}\n", not_before={"b": LATER})
    assert not run.running
    assert sorted(key.job_key for key in run.timers) == ["b.0", "b.1"]


def test_a_job_that_waits_for_its_planned_start_can_be_cancelled(world: Callable) -> None:
    run = world(f"  b: {STEP}}}\n", not_before={"b": LATER}).send(CancelRequested())
    assert run.results() == {"b": "cancelled"}
    assert not run.timers
