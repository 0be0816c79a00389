"""Concurrency groups, and what cancelling a run means."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from skyflow.diagnostics import Span
from skyflow.expr import parse_template
from skyflow.model.concurrency import GroupMove
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.model.workflow import Authored, Concurrency, Workflow
from skyflow.spec import load_workflow

SPAN = Span(7, 3, 7, 9)
STEP = "{runs-on: local, steps: [{run: x}, {run: clean, if: always()}]}"


def text(source: str) -> Authored:
    return Authored(parse_template(source), SPAN)


def group(name: str, *, cancel: str | None = None, queue: str | None = None) -> Concurrency:
    return Concurrency(
        group=text(name),
        span=SPAN,
        cancel_in_progress=None if cancel is None else text(cancel),
        queue=None if queue is None else text(queue),
    )


def workflow(jobs: str, **more: object) -> Workflow:
    return replace(load_workflow("w.yml", text=f"on: push\njobs:\n{jobs}").workflow, **more)


def test_a_run_waits_for_its_group(world: Callable) -> None:
    run = world(workflow(f"  a: {STEP}\n", concurrency=group("deploy-${{ github.ref_name }}", cancel="${{ true }}")))
    assert (run.groups[""].group, run.groups[""].cancel_in_progress) == ("deploy-main", True)
    assert run.state.status is Status.QUEUED
    run.group("", GroupMove.GRANTED)
    assert run.step("a")


def test_a_run_that_is_superseded_while_it_waits_is_cancelled(world: Callable) -> None:
    run = world(workflow(f"  a: {STEP}\n", concurrency=group("g"))).group("", GroupMove.SUPERSEDED)
    assert (run.state.status, run.state.conclusion) == (Status.COMPLETED, Conclusion.CANCELLED)
    assert run.moves[-1].reason is Reason.SUPERSEDED


def test_an_empty_group_is_none(world: Callable) -> None:
    assert world(workflow(f"  a: {STEP}\n", concurrency=group("${{ '' }}"))).step("a")


def test_a_group_that_cannot_be_evaluated_fails_the_run(world: Callable) -> None:
    run = world(workflow(f"  a: {STEP}\n", concurrency=group("${{ fromJSON('{') }}")))
    assert run.state.conclusion is Conclusion.FAILURE
    assert (run.moves[-1].message or "").startswith("w.yml:7:3: ")


def test_an_interrupt_while_waiting_leaves_the_run_resumable(world: Callable) -> None:
    run = world(workflow(f"  a: {STEP}\n", concurrency=group("g"))).stop()
    assert run.state.status is Status.INTERRUPTED


def test_cancelling_a_run_stops_what_runs_and_lets_clean_up_happen(world: Callable) -> None:
    jobs = (
        f"  a: {STEP}\n  b: {{runs-on: local, needs: a, steps: [{{run: b}}]}}\n"
        "  c: {runs-on: local, needs: [a, b], if: always(), steps: [{run: c}]}\n"
        "  d: {runs-on: local, if: always(), steps: [{run: d}]}\n"
    )
    run = world(workflow(jobs, concurrency=group("g"))).group("", GroupMove.GRANTED)
    run.group("", GroupMove.CANCELLED).obey_stops()
    assert sorted(run.scripts()) == ["clean", "d"]
    run.end("a")
    assert run.results() == {"a": "cancelled", "b": "cancelled"}
    run.end("d").end("c")
    assert run.results() == {"a": "cancelled", "b": "cancelled", "c": "success", "d": "success"}
    assert run.state.conclusion is Conclusion.CANCELLED


def job_with_group(jobs: str, *, key: str, **options: str) -> Workflow:
    made = workflow(jobs)
    specs = tuple(
        replace(s, concurrency=group("G-${{ github.actor }}", **options)) if s.id == key else s for s in made.jobs
    )
    return replace(made, jobs=specs)


def test_a_job_that_waits_for_its_group_takes_no_slot(world: Callable) -> None:
    run = world(job_with_group(f"  a: {STEP}\n  b: {STEP}\n", key="a"), slots=1)
    assert run.groups["a"].group == "G-somebody"
    assert run.step("b")
    run.group("a", GroupMove.GRANTED).end("b").end("b")
    assert run.step("a")
    run.end("a").end("a")
    assert run.groups == {}


@pytest.mark.parametrize("when", ["waiting", "running"])
def test_a_job_that_is_superseded_is_cancelled(world: Callable, when: str) -> None:
    run = world(job_with_group(f"  a: {STEP}\n", key="a", queue="max"))
    assert run.groups["a"].keep_pending
    if when == "waiting":
        run.group("a", GroupMove.SUPERSEDED)
    else:
        run.group("a", GroupMove.GRANTED).group("a", GroupMove.CANCELLED).obey_stops().end("a")
    assert run.results() == {"a": "cancelled"}
    assert run.groups == {}


def test_an_interrupted_job_gives_its_group_back(world: Callable) -> None:
    run = world(job_with_group(f"  a: {STEP}\n", key="a")).group("a", GroupMove.GRANTED)
    run.stop(force=True).obey_stops()
    assert run.state.status is Status.INTERRUPTED
    assert run.groups == {}
