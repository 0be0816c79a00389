"""Ctrl-C: what runs is stopped in order, and the run can be resumed."""

from collections.abc import Callable

from skyflow.engine.events import RunBegun
from skyflow.model.status import Conclusion, Reason, Status

TWO = "  a: {runs-on: local, steps: [{run: one}, {run: clean, if: cancelled()}, {run: two}]}\n"


def test_an_interrupted_job_cleans_up_and_is_queued_again(world: Callable) -> None:
    run = world(TWO).stop()
    assert list(run.stopping.values()) == [False]
    run.obey_stops()
    assert run.scripts() == ["clean"]
    run.end("a")
    assert run.state.status is Status.INTERRUPTED
    assert run.job("a").status is Status.QUEUED
    attempt = [m for m in run.moves if m.entity_id == "a#1"][-1]
    assert (attempt.conclusion, attempt.reason) == (Conclusion.CANCELLED, Reason.INTERRUPTED)


def test_a_second_request_kills_and_starts_nothing_more(world: Callable) -> None:
    run = world(TWO).stop().stop(force=True)
    assert list(run.stopping.values()) == [True]
    run.obey_stops()
    assert run.scripts() == []
    assert run.state.status is Status.INTERRUPTED


def test_no_further_job_starts_after_a_stop(world: Callable) -> None:
    run = world(
        "  a: {runs-on: local, steps: [{run: one}]}\n  b: {runs-on: local, steps: [{run: one}]}\n"
        "  c: {runs-on: local, needs: a, steps: [{run: one}]}\n",
        slots=1,
    ).stop()
    run.end("a")  # it ended by itself just then
    assert run.results() == {"a": "success"}
    assert run.state.status is Status.INTERRUPTED
    assert sorted(run.state.queue) == ["b", "c"]


def test_a_last_step_that_ends_by_itself_completes_its_job_even_while_stopping(world: Callable) -> None:
    run = world("  a: {runs-on: local, steps: [{run: one}]}\n").stop().end("a")
    assert run.state.status is Status.COMPLETED
    assert run.state.conclusion is Conclusion.SUCCESS


def test_an_interrupted_run_goes_on_with_a_new_attempt(world: Callable) -> None:
    run = world(TWO).stop(force=True).obey_stops()
    from dataclasses import replace

    run.state = replace(run.state, stop=None)  # as a new process reads it from the store
    run.send(RunBegun())
    assert run.step("a").attempt == 2
    assert run.scripts() == ["one"]


def test_a_killed_run_gives_its_attempts_up_and_starts_new_ones(world: Callable) -> None:
    run = world(TWO)
    run.running.clear()  # the driver died, and its steps with it
    run.timers.clear()
    run.send(RunBegun())
    assert run.step("a").attempt == 2
    lost = [m for m in run.moves if m.reason is Reason.LOST]
    assert [m.entity_id for m in lost] == ["a#1/1", "a#1/2", "a#1/3", "a#1"]
