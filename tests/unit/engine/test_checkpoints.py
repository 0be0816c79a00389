"""When folders of jobs are kept, and when the next attempt gets them back."""

from dataclasses import replace

import pytest

from skyflow.engine.effects import SaveCheckpoint, SetUp, TimerKey
from skyflow.engine.events import RunBegun
from skyflow.engine.machine import handle
from skyflow.engine.rooms import Rooms
from skyflow.model.execution import StepRef, StepResult
from skyflow.model.status import Status

JOB = "  a: {runs-on: local, checkpoint: {path: kept, every: 5m}, retry: 3, MORE steps: [{run: x}, {run: y}]}\n"
EVERY = TimerKey("a", 1, is_checkpoint=True)
LOST = StepResult(exit_code=None, lost="box is lost: the link broke")
IN_LAB = Rooms(otherwise="lab", capacity={"lab": 1})


def job(more: str = "") -> str:
    return JOB.replace("MORE", more)


def elsewhere(world, text: str):
    made = world(text, begin=False)
    made.state = replace(made.state, rooms=IN_LAB)
    return made.begin()


def test_it_is_kept_again_and_again_while_the_job_runs(world) -> None:
    made = world(job())
    assert made.timers[EVERY] == 300
    made.fire("a", is_checkpoint=True).fire("a", is_checkpoint=True)
    assert made.kept == [SaveCheckpoint("a", 1, "kept")] * 2
    made.end("a").end("a")
    assert (made.results(), len(made.kept), made.timers) == ({"a": "success"}, 2, {})


def test_it_is_kept_when_an_attempt_fails_and_the_next_one_begins_with_it(world) -> None:
    made = world(job()).end("a", 1)
    assert made.kept == [SaveCheckpoint("a", 1, "kept")]
    assert made.set_ups == [SetUp(StepRef("a", 2, 0), "kept")]
    assert EVERY not in made.timers
    made.end("a").end("a").end("a")
    assert made.results() == {"a": "success"}
    assert len(made.kept) == 1


def test_a_first_attempt_here_needs_no_set_up(world) -> None:
    assert world(job()).set_ups == []


def test_after_a_loss_another_machine_begins_with_it(world) -> None:
    made = elsewhere(world, job())
    assert EVERY not in made.timers
    made.end("a")
    assert EVERY in made.timers
    made.end_with("a", LOST)
    assert made.kept == []  # there is nobody left to ask
    assert [each.checkpoint for each in made.set_ups] == [None, "kept"]
    assert EVERY not in made.timers


def test_without_a_machine_there_is_nothing_to_keep(world) -> None:
    made = elsewhere(world, job().replace("retry: 3", "retry: 1"))
    made.end_with("a", StepResult(exit_code=None, not_started="there is none to be had"))
    assert (made.results(), made.kept) == ({"a": "failure"}, [])


def test_what_cannot_be_put_back_fails_the_attempt(world) -> None:
    made = world(job().replace("retry: 3", "retry: 2")).end("a", 1)
    made.end_with("a", StepResult(exit_code=None, not_started="a file is damaged"))
    assert made.results() == {"a": "failure"}


def test_an_interrupted_job_keeps_its_folder_unless_it_is_forced(world) -> None:
    assert world(job()).stop().obey_stops().kept == [SaveCheckpoint("a", 1, "kept")]
    assert world(job()).stop().stop(force=True).obey_stops().kept == []


def test_in_containers_it_is_put_back_before_they_start(world) -> None:
    made = world(job("container: {image: x},")).containers("a", None, exit_code=1).end("a")
    assert [(each.step.attempt, each.checkpoint) for each in made.set_ups] == [(1, None), (2, "kept")]


@pytest.mark.parametrize(("setup", "again"), [(Status.COMPLETED, None), (Status.IN_PROGRESS, "kept")])
def test_an_attempt_that_is_taken_up_is_not_set_back(world, setup: Status, again: str | None) -> None:
    """Its steps are under way, and may have gone on from what was put back."""
    made = world(job()).end("a", 1)
    if setup is Status.COMPLETED:
        made.end("a")
    attempt = made.job("a").attempt
    assert attempt is not None
    recorded = replace(attempt, setup=replace(attempt.states[0], status=setup), recorded={})
    state = replace(made.state, jobs={"a": replace(made.job("a"), attempt=recorded)})
    _, effects = handle(state, RunBegun({("a", 2): 10.0}))
    assert [each.checkpoint for each in effects if isinstance(each, SetUp)] == [again]
