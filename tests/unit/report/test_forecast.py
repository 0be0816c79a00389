from datetime import UTC, datetime, timedelta

import pytest

from skyflow.app.planning.plan import plan_workflow
from skyflow.model.status import Status
from skyflow.report.forecast import Forecast
from skyflow.report.run_progress import JobProgress
from skyflow.spec import load_workflow

BEGAN = datetime(2026, 1, 2, tzinfo=UTC)


def forecast_of(jobs: str, *, slots: int = 2) -> Forecast:
    text = f"on: push\njobs:\n{jobs}"
    return Forecast(plan_workflow(load_workflow("w.yml", text=text).workflow, slots=slots), slots=slots)


def job(name: str, *, estimate: str = "", needs: str = "") -> str:
    keys = [f"estimate: {estimate}" if estimate else "", f"needs: [{needs}]" if needs else "", "runs-on: local"]
    return f"  {name}: {{{', '.join(filter(None, keys))}, steps: [{{run: x}}]}}\n"


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def running(key: str, since: float = 0) -> JobProgress:
    return JobProgress(key=key, name=key, status=Status.IN_PROGRESS, started_at=at(since))


def done(key: str, took: float) -> JobProgress:
    return JobProgress(key=key, name=key, status=Status.COMPLETED, started_at=BEGAN, completed_at=at(took))


def left(forecast: Forecast, *jobs: JobProgress, now: float) -> float | None:
    return forecast.left_seconds({one.key: one for one in jobs}, at(now))


def test_a_chain_takes_what_its_jobs_take_together() -> None:
    forecast = forecast_of(job("a", estimate="10s") + job("b", estimate="20s", needs="a"))
    assert left(forecast, now=0) == 30
    assert left(forecast, running("a"), now=4) == 26
    assert left(forecast, done("a", 10), running("b", 10), now=25) == 5
    assert left(forecast, done("a", 10), done("b", 30), now=40) == 0


def test_work_is_shared_by_the_slots() -> None:
    forecast = forecast_of("".join(job(name, estimate="10s") for name in "abcd"))
    assert left(forecast, now=0) == 20


def test_estimates_are_scaled_by_how_wrong_they_were() -> None:
    forecast = forecast_of(job("a", estimate="10s") + job("b", estimate="20s", needs="a"))
    assert left(forecast, done("a", 30), now=30) == 20 * (30 + 15) / (10 + 15), "a mean one counts as right"


def test_a_small_job_that_was_quick_says_little_of_large_ones() -> None:
    forecast = forecast_of(job("a", estimate="5s") + job("b", estimate="2h", needs="a"))
    assert left(forecast, done("a", 1), now=1) == pytest.approx(7200, rel=0.01)


def test_a_job_that_has_overrun_takes_a_little_longer() -> None:
    forecast = forecast_of(job("a", estimate="10s"))
    assert left(forecast, running("a"), now=50) == 5


def test_nothing_is_said_while_nothing_is_known() -> None:
    forecast = forecast_of(job("a") + job("b", needs="a"))
    assert left(forecast, running("a"), now=5) is None
    assert forecast.estimate_seconds("a") is None
    assert left(forecast, done("a", 8), now=8) == 8, "others without an estimate tell"


def test_a_matrix_that_was_planned_as_one_job_counts_as_what_it_became() -> None:
    forecast = forecast_of(
        job("a", estimate="1s")
        + "  b: {needs: a, runs-on: local, estimate: 10s, strategy: {matrix: {x: '${{ fromJSON(needs.a.outputs.x) }}'}},"
        " steps: [{run: x}]}\n"
    )
    assert left(forecast, now=0) == 11
    legs = [JobProgress(key=f"b.{n}", name=f"b ({n})") for n in range(6)]
    assert left(forecast, done("a", 1), *legs, now=1) == pytest.approx(30)
