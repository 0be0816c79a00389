"""Pictures of the board at one moment, in every width; `UPDATE_GOLDEN=1` writes them anew, to be looked at."""

import io
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from skyflow.app.planning.plan import plan_workflow
from skyflow.model.catalog import Offering
from skyflow.model.execution import StepRef
from skyflow.model.resources import Market
from skyflow.model.run import JobRecord, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.report.board import BoardReporter
from skyflow.report.forecast import Forecast
from skyflow.report.words import Signs, ascii_signs
from skyflow.spec import load_workflow

GOLDEN = Path(__file__).parent / "data" / "boards"
BEGAN = datetime(2026, 1, 2, tzinfo=UTC)
UNICODE = Signs()
WORKFLOW = """\
on: push
jobs:
  prepare: {runs-on: local, estimate: 20s, steps: [{run: x}]}
  train: {needs: prepare, runs-on: local, estimate: 5m, steps: [{run: x}]}
  evaluate: {needs: prepare, runs-on: local, steps: [{run: x}]}
  a-job-with-quite-a-long-name-that-has-to-be-cut: {runs-on: local, estimate: 1h30m, steps: [{run: x}]}
  publish: {needs: [train, evaluate], runs-on: local, estimate: 10s, steps: [{run: x}]}
"""


class Scene:
    """A board, and a run that is played to it."""

    def __init__(
        self,
        *,
        width: int = 80,
        height: int = 24,
        signs: Signs = UNICODE,
        colours: bool = False,
        rented: Offering | None = None,
        earlier: tuple[JobRecord, ...] = (),
    ) -> None:
        self.now = BEGAN
        self.stream = io.StringIO()
        self.console = Console(
            file=self.stream, width=width, height=height, force_terminal=True, highlight=False,
            color_system="standard" if colours else None, legacy_windows=False,
        )  # fmt: skip
        plan = plan_workflow(load_workflow("w.yml", text=WORKFLOW).workflow, slots=2)
        if rented is not None:
            placed = tuple(replace(one, offering=rented, carbon_grams=one.duration_seconds) for one in plan.placements)
            plan = replace(plan, placements=placed)
        self.board = BoardReporter(
            self.console, now=lambda: self.now, signs=signs, run_number=7, forecast=Forecast(plan, slots=2),
            earlier=earlier,
        )  # fmt: skip

    def begin(self, key: str) -> None:
        queued = Transition(entity=Entity.JOB, old=None, new=Status.QUEUED, job_key=key, data={"name": key})
        self.board.moved(queued, self.now)
        self.board.moved(
            Transition(entity=Entity.JOB, old=Status.QUEUED, new=Status.IN_PROGRESS, job_key=key, data={"name": key}),
            self.now,
        )
        for old, new in ((None, Status.PENDING), (Status.PENDING, Status.IN_PROGRESS)):
            step = {"job_key": key, "attempt": 1, "position": 1, "data": {"name": f"Work on {key}"}}
            self.board.moved(Transition(entity=Entity.STEP, old=old, new=new, **step), self.now)

    def end(self, key: str, conclusion: Conclusion = Conclusion.SUCCESS) -> None:
        failed = conclusion is Conclusion.FAILURE
        how = {
            "old": Status.IN_PROGRESS, "new": Status.COMPLETED, "job_key": key, "conclusion": conclusion,
            "reason": Reason.EXIT_CODE if failed else None, "message": "exit code 3" if failed else None,
            "data": {"outcome": conclusion.value},
        }  # fmt: skip
        self.board.moved(Transition(entity=Entity.STEP, attempt=1, position=1, **how), self.now)
        self.board.moved(Transition(entity=Entity.JOB, **how), self.now)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def picture(self) -> str:
        with self.console.capture() as capture:
            self.console.print(self.board._board())
        return capture.get()

    def scrolled(self) -> str:
        return self.stream.getvalue()


def in_the_middle(scene: Scene) -> Scene:
    scene.begin("prepare")
    scene.begin("a-job-with-quite-a-long-name-that-has-to-be-cut")
    scene.pass_time(25)
    scene.end("prepare")
    scene.begin("evaluate")
    scene.pass_time(3)
    scene.end("evaluate")
    scene.begin("train")
    scene.pass_time(61)
    scene.board.output(StepRef("train", 1, 1), "epoch 3/10\tloss 0.4711 日本語 " + "and so on " * 30 + "\n")
    return scene


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_board_fits_every_width(width: int) -> None:
    shown = in_the_middle(Scene(width=width)).picture()
    path = GOLDEN / f"{width}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text()
    assert "about 1h 28m left" in shown


MACHINE = Offering(
    provider="aws", region="eu-north-1", instance_type="m6i.xlarge", market=Market.SPOT, vcpus=4, memory_gib=16.0,
    price_usd_per_hour=36.0, price_basis="list",
)  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_machines_elsewhere_show_where_they_are_what_they_cost_and_what_they_emit(width: int) -> None:
    shown = in_the_middle(Scene(width=width, rented=MACHINE)).picture()
    path = GOLDEN / f"rented-{width}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(shown)
    assert shown == path.read_text()
    assert all(cell_len(line) <= width for line in shown.splitlines())


def left(key: str, conclusion: Conclusion | None) -> JobRecord:
    return JobRecord(
        key=key, spec_id=key, leg_index=0, leg_total=1, name=key, matrix=None, max_parallel=None, fail_fast=True,
        continue_on_error=False, concurrency_group=None, outputs={}, reason=None, message=None, outcome=conclusion,
        status=Status.COMPLETED if conclusion else Status.IN_PROGRESS, conclusion=conclusion,
        queued_at=BEGAN - timedelta(hours=9), started_at=BEGAN - timedelta(hours=9),
        completed_at=BEGAN - timedelta(hours=8) if conclusion else None,
    )  # fmt: skip


def test_a_run_that_goes_on_counts_what_came_before_but_not_the_time_in_between() -> None:
    earlier = (left("prepare", Conclusion.SUCCESS), left("train", None))
    scene = Scene(width=200, rented=MACHINE, earlier=earlier)
    assert "1 of 5 jobs done" in scene.picture()
    assert "$36.00" in scene.picture(), "an hour of the job that has ended"
    assert not scene.scrolled()
    back = Transition(entity=Entity.JOB, old=Status.IN_PROGRESS, new=Status.QUEUED, job_key="train", data={})
    scene.board.moved(back, scene.now)
    scene.begin("train")
    scene.end("train")
    assert "2 of 5 jobs done" in scene.picture()
    assert "$36.00" in scene.picture()


def test_what_an_attempt_before_has_cost_counts_too() -> None:
    scene = Scene(width=200, rented=MACHINE)
    scene.begin("train")
    scene.pass_time(100)
    again = Transition(entity=Entity.JOB, old=Status.IN_PROGRESS, new=Status.QUEUED, job_key="train")
    scene.board.moved(again, scene.now)
    scene.pass_time(1000)  # waits for another machine, which costs nothing
    assert "$1.00, 100 g CO2e" in scene.picture()
    scene.begin("train")
    scene.pass_time(50)
    assert "50s of 5m 00s  $1.50  150 g CO2e" in scene.picture()
    scene.end("train")
    scene.pass_time(500)
    assert "$1.50, 150 g CO2e" in scene.picture()


def test_a_job_that_is_tried_again_says_so() -> None:
    scene = Scene()
    scene.begin("prepare")
    move = {"entity": Entity.JOB, "old": Status.IN_PROGRESS, "new": Status.QUEUED, "job_key": "prepare"}
    scene.board.moved(Transition(**move), scene.now)  # nothing but an interrupted run
    assert "prepare" not in scene.scrolled()
    scene.board.moved(Transition(**move, message="attempt 2 follows in 30s"), scene.now)
    assert "· prepare: attempt 2 follows in 30s" in scene.scrolled()


def test_a_failure_shows_its_end_and_where_the_rest_is() -> None:
    scene = Scene()
    scene.begin("prepare")
    scene.board.output(StepRef("prepare", 1, 1), "one\ntwo [bold]not markup[/bold]\n")
    scene.end("prepare", Conclusion.FAILURE)
    assert "✗ prepare" in scene.scrolled()
    assert "│ two [bold]not markup[/bold]" in scene.scrolled()
    assert "all of it: skyflow logs 7 prepare" in scene.scrolled()
    assert "1 failed" in scene.picture()


def test_no_end_is_promised_while_none_is_known() -> None:
    scene = Scene()
    scene.begin("evaluate")
    scene.pass_time(5)
    assert "left" not in scene.picture()


def test_low_terminals_show_as_much_as_fits() -> None:
    scene = in_the_middle(Scene(height=5))
    assert "and 1 more" in scene.picture()


def test_plain_terminals_get_plain_characters() -> None:
    scene = Scene(signs=ascii_signs)
    scene.begin("prepare")
    scene.pass_time(3)
    assert scene.picture().isascii()


def test_colours_are_left_out_where_they_are_not_wanted() -> None:
    assert "\x1b[" not in in_the_middle(Scene()).picture()
    assert "\x1b[" in in_the_middle(Scene(colours=True)).picture()


def test_stopping_is_said_instead_of_the_bar() -> None:
    scene = in_the_middle(Scene())
    scene.board.asked_to_stop(force=False)
    assert "Ctrl-C again to kill" in scene.picture()
