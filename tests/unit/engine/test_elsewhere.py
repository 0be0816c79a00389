"""Jobs that run on other machines: how many at once, and what becomes of them when a machine is lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from skyflow.engine.attempt_state import StepState
from skyflow.engine.effects import CancelTimer, SetUp, StartTimer, StopStep
from skyflow.engine.events import RunBegun, StepEnded
from skyflow.engine.losses import MOST_ATTEMPTS
from skyflow.engine.machine import handle
from skyflow.engine.rooms import Rooms
from skyflow.model.execution import StepResult
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status

LOST = StepResult(exit_code=None, lost="box is lost: the link broke")
STEP = "{runs-on: local, steps: [{run: 'x'}]}"


def in_pools(world: Callable, text: str, *, slots: int = 100, **pools: object):
    made = world(text, slots=slots, begin=False)
    made.state = replace(made.state, rooms=Rooms(**pools))
    return made.begin()


def running(made) -> list[str]:
    return sorted(ref.job_key for ref in made.running)


def test_a_pool_takes_as_many_jobs_as_it_has_room_for(world) -> None:
    jobs = "".join(f"  {name}: {STEP}\n" for name in ("a", "b", "c", "d", "e"))
    pools = dict.fromkeys(("a", "b", "c"), "lab")
    made = in_pools(world, jobs, slots=1, pools=pools, capacity={"lab": 2})
    assert running(made) == ["a", "b", "d"]
    made.end("a").end("a")
    assert running(made) == ["b", "c", "d"]
    made.end("d")
    assert running(made) == ["b", "c", "e"]


def test_a_matrix_that_was_planned_as_one_job_runs_where_that_was_placed(world) -> None:
    text = "  a: {runs-on: local, strategy: {matrix: {n: [1, 2, 3]}}, steps: [{run: 'x'}]}\n"
    made = in_pools(world, text, pools={"a": "lab"}, capacity={"lab": 2})
    assert running(made) == ["a.0", "a.1"]


def test_a_job_on_several_machines_takes_a_slot_on_each(world) -> None:
    jobs = "".join(f"  {name}: {STEP}\n" for name in ("a", "b", "c", "d"))
    made = in_pools(world, jobs, otherwise="lab", capacity={"lab": 4}, nodes={"a": 3, "c": 2})
    assert running(made) == ["a", "b"]
    made.end("a").end("a")
    assert running(made) == ["b", "c", "d"]


def test_nobody_takes_what_a_job_on_several_machines_waits_for(world) -> None:
    jobs = "".join(f"  {name}: {STEP}\n" for name in ("a", "b", "c")) + f"  here: {STEP}\n"
    pools = dict.fromkeys(("a", "b", "c"), "lab")
    made = in_pools(world, jobs, pools=pools, capacity={"lab": 2}, nodes={"b": 2})
    assert running(made) == ["a", "here"]
    made.end("a").end("a")
    assert running(made) == ["b", "here"]


def test_a_job_that_wants_more_machines_than_there_are_is_begun_all_the_same(world) -> None:
    """Whoever is to find them says that there are too few; else the job would wait for ever."""
    made = in_pools(world, f"  a: {STEP}\n", otherwise="lab", capacity={"lab": 2}, nodes={"a": 3})
    assert running(made) == ["a"]


IN_LAB = {"otherwise": "lab", "capacity": {"lab": 2}}
LATER = "  a: {runs-on: local, timeout-minutes: 2, steps: [{run: 'x'}, {run: 'y', if: always()}]}\n"


def steps_of(made) -> list[tuple[int, str]]:
    """Where every step is, as it was last stored."""
    last = {each.position: each for each in made.moves if each.entity is Entity.STEP}
    return [(position, str(last[position].conclusion or last[position].new)) for position in sorted(last)]


def test_a_job_elsewhere_is_set_up_first_and_its_time_counts_from_then_on(world) -> None:
    made = in_pools(world, LATER, **IN_LAB)
    assert (steps_of(made)[0], made.timers) == ((0, "in_progress"), {})
    made.end("a")
    assert steps_of(made)[:2] == [(0, "success"), (1, "in_progress")]
    assert list(made.timers.values()) == [120.0]
    assert made.end("a").end("a").results() == {"a": "success"}


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [
        ("", None),
        ("timeout-minutes: 2, ", 2.0),
        ("timeout-minutes: '${{ matrix.t }}', strategy: {matrix: {t: [7]}}, ", 7.0),
    ],
)
def test_whoever_has_the_machine_is_told_how_long_it_may_take(world, limit: str, minutes: float | None) -> None:
    made = in_pools(world, f"  a: {{runs-on: local, {limit}steps: [{{run: 'x'}}]}}\n", **IN_LAB)
    assert [each.minutes for each in made.set_ups] == [minutes]


def test_without_a_machine_no_step_runs_and_the_job_fails(world) -> None:
    made = in_pools(world, LATER, **IN_LAB)
    made.end_with("a", StepResult(exit_code=None, not_started="there is none to be had"))
    assert (made.results(), running(made)) == ({"a": "failure"}, [])
    assert steps_of(made) == [(0, "failure"), (1, "skipped"), (2, "skipped")]
    [move] = [each for each in made.moves if each.entity is Entity.JOB and each.new is Status.COMPLETED]
    assert move.message == "there is none to be had"


def test_a_machine_that_is_lost_while_it_is_set_up_is_replaced(world) -> None:
    made = in_pools(world, LATER, **IN_LAB).end_with("a", LOST)
    assert (running(made), made.job("a").attempts) == (["a"], 2)


def test_a_run_that_is_stopped_while_a_machine_is_set_up_keeps_the_job(world) -> None:
    made = in_pools(world, LATER, **IN_LAB).stop().obey_stops()
    assert (made.state.status, made.state.queue) == (Status.INTERRUPTED, ("a",))


def test_an_attempt_that_is_taken_up_is_not_stored_as_set_up_again(world) -> None:
    made = in_pools(world, LATER, **IN_LAB).end("a")
    job = made.job("a")
    done = StepState(status=Status.COMPLETED, outcome=Conclusion.SUCCESS, conclusion=Conclusion.SUCCESS)
    stored = made.state.with_job(replace(job, attempt=replace(job.attempt, setup=done)))
    state, effects = handle(stored, RunBegun({("a", 1): 30.0}))
    [again] = [each.step for each in effects if isinstance(each, SetUp)]
    assert not [each for each in effects if isinstance(each, Transition)]
    _, effects = handle(state, StepEnded(again, StepResult(exit_code=0)))
    assert [each.seconds for each in effects if isinstance(each, StartTimer)] == [90.0]
    assert [each.entity for each in effects if isinstance(each, Transition)] == []


def test_a_job_whose_machine_is_lost_is_tried_again(world) -> None:
    made = world(f"  a: {STEP}\n").end_with("a", LOST)
    assert running(made) == ["a"]
    assert made.job("a").attempts == 2
    [move] = [each for each in made.moves if each.entity is Entity.ATTEMPT and each.new is Status.COMPLETED]
    assert (move.reason, move.message) == (Reason.LOST, "box is lost: the link broke")
    assert made.end("a").results() == {"a": "success"}


def test_a_job_that_loses_every_machine_fails(world) -> None:
    made = world(f"  a: {STEP}\n  b: {{runs-on: local, needs: a, if: failure(), steps: [{{run: y}}]}}\n")
    for _ in range(MOST_ATTEMPTS):
        made.end_with("a", LOST)
    assert made.results() == {"a": "failure"}
    assert running(made) == ["b"]


def test_a_job_that_was_cancelled_meanwhile_is_not_tried_again(world) -> None:
    made = world("  a: {runs-on: local, timeout-minutes: 1, steps: [{run: 'x'}]}\n").fire("a").end_with("a", LOST)
    assert made.results() == {"a": "cancelled"}


@pytest.mark.parametrize("force", [False, True])
def test_a_run_that_is_stopped_keeps_the_job_for_later(world, force: bool) -> None:
    made = world(f"  a: {STEP}\n").stop(force=force).end_with("a", LOST)
    assert made.state.status is Status.INTERRUPTED
    assert made.state.queue == ("a",)


def test_steps_in_the_background_go_with_the_machine(world) -> None:
    text = "  a: {runs-on: local, steps: [{run: 'x', background: true, timeout-minutes: 2}, {run: 'y', timeout-minutes: 3}]}\n"
    made = world(text)
    lost, other = made.step("a", 2), made.step("a", 1)
    state, effects = handle(made.state, StepEnded(lost, LOST))
    assert StopStep(other, force=True) in effects
    assert {effect.key.position for effect in effects if isinstance(effect, CancelTimer)} >= {0, 1, 2}
    after, effects = handle(state, StepEnded(other, LOST))
    assert (after.jobs, effects) == (state.jobs, ())


def test_a_step_whose_machine_was_taken_away_is_not_forgiven(world) -> None:
    made = world("  a: {runs-on: local, steps: [{run: 'x', continue-on-error: true}]}\n")
    made.end_with("a", StepResult(exit_code=None, preempted=True))
    assert (running(made), made.job("a").attempts) == (["a"], 2)
    [move] = [each for each in made.moves if each.entity is Entity.ATTEMPT and each.new is Status.COMPLETED]
    assert move.reason is Reason.PREEMPTED
