"""What failed is tried again: jobs, steps, how often, after how long, and not when it was cancelled."""

import pytest

from skyflow.engine.effects import TimerKey
from skyflow.engine.events import CancelRequested, Spent
from skyflow.model.execution import StepResult
from skyflow.model.retry import RetryPolicy, parse_retry_cause
from skyflow.model.status import Reason, Status

JOB = "  a: {runs-on: local, retry: RETRY, steps: [{run: x}, {run: y}]}\n  b: {runs-on: local, needs: a, steps: [{run: z}]}\n"


def moves_of(world, key: str) -> list[str]:
    return [str(move.new) for move in world.moves if move.entity == "job" and move.job_key == key]


def test_a_job_is_tried_again_until_it_succeeds(world) -> None:
    w = world(JOB.replace("RETRY", "3"))
    w.end("a", 1)
    assert w.job("a").attempts == 2
    w.end("a").end("a").end("b")
    assert w.results() == {"a": "success", "b": "success"}
    assert moves_of(w, "a") == ["queued", "in_progress", "queued", "in_progress", "completed"]


def test_tries_are_limited(world) -> None:
    w = world(JOB.replace("RETRY", "{attempts: 2}"))
    w.end("a", 1).end("a", 1)
    assert w.results() == {"a": "failure", "b": "skipped"}
    assert w.job("a").attempts == 2


def test_only_some_failures_are_tried_again(world) -> None:
    w = world(JOB.replace("RETRY", "{attempts: 3, on: [exit-code 75, timeout]}"))
    w.end("a", 75)
    assert w.job("a").attempts == 2
    w.end("a", 1)
    assert w.results()["a"] == "failure"


def test_a_time_limit_of_the_job_counts_as_timeout(world) -> None:
    w = world(JOB.replace("RETRY", "{attempts: 2, on: [timeout]}"))
    w.fire("a").obey_stops()
    assert w.job("a").attempts == 2
    w.fire("a").obey_stops()
    assert w.results()["a"] == "cancelled"


def test_waiting_doubles_and_other_jobs_take_the_slot(world) -> None:
    w = world(
        "  a: {runs-on: local, retry: {attempts: 3, backoff: 10s}, steps: [{run: x}]}\n  b: {runs-on: local, steps: [{run: y}]}\n",
        slots=1,
    )
    w.end("a", 1)
    assert w.job("a").status is Status.QUEUED
    assert w.timers[TimerKey("a", 1, is_pause=True)] == 10
    assert [ref.job_key for ref in w.running] == ["b"]
    w.fire("a", is_pause=True).end("b")
    w.end("a", 1)
    assert w.timers[TimerKey("a", 2, is_pause=True)] == 20
    w.fire("a", is_pause=True).end("a")
    assert w.results() == {"a": "success", "b": "success"}


def test_a_job_that_waits_for_its_next_try_can_be_cancelled(world) -> None:
    w = world(JOB.replace("RETRY", "{attempts: 3, backoff: 10s}"))
    w.end("a", 1).send(CancelRequested())
    assert w.results() == {"a": "cancelled", "b": "cancelled"}
    assert w.state.status is Status.COMPLETED


def test_what_was_cancelled_is_not_tried_again(world) -> None:
    w = world(JOB.replace("RETRY", "3"))
    w.send(CancelRequested()).obey_stops()
    assert w.results()["a"] == "cancelled"
    assert w.job("a").attempts == 1


STEP = "  a: {runs-on: local, steps: [{run: x, retry: RETRY}, {run: y}]}\n"


def test_a_script_is_run_again_within_its_attempt(world) -> None:
    w = world(STEP.replace("RETRY", "{attempts: 3, on: [exit-code 75]}"))
    w.end_with("a", StepResult(exit_code=75, env=(("A", "1"),), masks=("m",)))
    assert w.request("a").notice == "exit code 75; try 2 of 3 follows"
    w.end("a")
    assert "A" not in w.env("a")
    w.end("a")
    assert w.results() == {"a": "success"}
    assert w.job("a").attempts == 1


def test_a_script_fails_when_its_tries_are_used_up(world) -> None:
    w = world(STEP.replace("RETRY", "2"))
    w.end("a", 1).end("a", 1)
    assert w.results() == {"a": "failure"}


def test_a_script_waits_before_its_next_try(world) -> None:
    w = world(STEP.replace("RETRY", "{attempts: 2, backoff: 5s}"))
    w.end("a", 1)
    assert not w.running
    assert w.timers[TimerKey("a", 1, 1, is_pause=True)] == 5
    w.fire("a", 1, is_pause=True).end("a").end("a")
    assert w.results() == {"a": "success"}


@pytest.mark.parametrize("how", ["cancel", "stop", "limit"])
def test_a_script_that_waits_for_its_next_try_can_be_stopped(world, how: str) -> None:
    w = world(STEP.replace("RETRY", "{attempts: 2, backoff: 5s}"))
    w.end("a", 1)
    if how == "cancel":
        w.send(CancelRequested())
    elif how == "stop":
        w.stop()
    else:
        w.fire("a")
    w.obey_stops()
    assert not w.running
    assert w.state.status is (Status.INTERRUPTED if how == "stop" else Status.COMPLETED)


def test_the_budget_keeps_new_jobs_from_starting(world) -> None:
    from dataclasses import replace

    from skyflow.engine.events import RunBegun
    from skyflow.model.run import RunOptions

    jobs = "".join(f"  {key}: {{runs-on: local, steps: [{{run: x}}]}}\n" for key in "abc")
    w = world(jobs, begin=False)
    w.state = replace(w.state, options=RunOptions(budget_usd=1.0), prices={"a": 0.4, "b": 0.4, "c": 0.4})
    w.send(RunBegun())
    assert {ref.job_key for ref in w.running} == {"a", "b"}
    w.end("a").send(Spent("a", 0.1))
    assert {ref.job_key for ref in w.running} == {"b", "c"}, "0.1 is spent, 0.4 committed, 0.4 wanted"
    w.end("b").send(Spent("b", 0.9)).end("c").send(Spent("c", 0.4))
    assert w.results() == {"a": "success", "b": "success", "c": "success"}

    w = world(jobs, begin=False)
    w.state = replace(w.state, options=RunOptions(budget_usd=1.0), prices={"a": 0.4, "b": 0.4, "c": 0.4})
    w.send(RunBegun()).end("a").end("b").send(Spent("a", 0.5))
    assert not w.running, "0.5 is spent, and what b cost is not known yet"
    w.send(Spent("b", 0.5))
    assert w.results() == {"a": "success", "b": "success", "c": "cancelled"}
    [move] = [move for move in w.moves if move.reason is Reason.BUDGET]
    assert move.message == "$1.00 is spent and it would cost $0.40; the budget is $1.00"


@pytest.mark.parametrize(
    ("tries", "reason", "code", "delay"),
    [(1, Reason.EXIT_CODE, 1, 10), (2, Reason.TIMEOUT, None, 20), (3, Reason.LOST, None, None), (1, Reason.EXPRESSION, None, None)],
)  # fmt: skip
def test_without_causes_every_failure_of_what_ran_counts(tries, reason, code, delay) -> None:
    assert RetryPolicy(attempts=3, backoff_seconds=10).delay_after(tries, reason, code) == delay


def test_waiting_has_an_end() -> None:
    assert RetryPolicy(attempts=10_000, backoff_seconds=10).delay_after(9_000, Reason.EXIT_CODE, 1) == 3600


@pytest.mark.parametrize("text", ["", "exit-code", "exit-code 256", "75", "sometimes"])
def test_unknown_causes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no reason to try again"):
        parse_retry_cause(text)
