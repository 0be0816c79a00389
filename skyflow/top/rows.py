"""What stands on the screen, worked out from what is stored; nothing here draws or waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from skyflow.app.showing.graph import placements_of_run, plan_of_run
from skyflow.model.graph import Standing
from skyflow.model.history import RunHistory
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Placement, Plan
from skyflow.model.run import JobRecord
from skyflow.model.status import Status
from skyflow.model.units import format_duration, format_grams, format_usd
from skyflow.report.forecast import Forecast
from skyflow.report.graph_words import STANDING_COLOURS, place_text, standing_sign
from skyflow.report.page.costs import Spent, spent_by_attempt
from skyflow.report.run_progress import JobProgress
from skyflow.report.words import Signs, reason_text, whole_seconds

__all__ = ["JOB_COLUMNS", "RUN_COLUMNS", "Row", "job_rows", "run_row"]

RUN_COLUMNS = ("run", "workflow", "state", "jobs", "time", "left", "spent", "CO2e")
JOB_COLUMNS = ("job", "state", "machine", "time", "estimate", "spent", "what")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table: what it is of, its cells, and the colour that its state has on a terminal."""

    key: str
    cells: tuple[str, ...]
    colour: str


def run_row(history: RunHistory, machines: tuple[MachineRecord, ...], *, now: datetime, signs: Signs) -> Row:
    """Return the line of a run; `machines` are those that were rented for it."""
    run = history.overview.run
    plan = plan_of_run(history)
    placed = placements_of_run(history, plan)
    spent = spent_by_attempt(history.attempts, placed, machines, now=now).values()
    done = sum(job.status is Status.COMPLETED for job in history.jobs)
    failed = sum(Standing.of(job.status, job.outcome, job.conclusion) is Standing.FAILURE for job in history.jobs)
    total = max(len(history.jobs), 0 if plan is None else len(plan.placements))
    standing = _standing(history)
    return Row(
        key=run.id,
        cells=(
            str(run.number),
            run.title,
            f"{standing_sign(standing, signs)} {history.overview.state.replace('_', ' ')}",
            f"{done} of {total}" + (f", {failed} failed" if failed else ""),
            _elapsed(run.started_at, run.completed_at, now if history.overview.is_driven else None),
            _left(history, plan, now),
            *_money_and_carbon(list(spent)),
        ),
        colour=STANDING_COLOURS[standing],
    )


def job_rows(
    history: RunHistory, machines: tuple[MachineRecord, ...], *, now: datetime, signs: Signs
) -> tuple[Row, ...]:
    """Return a line for each job of a run: those that run first, then those that wait, then what has ended, newest first."""
    placed = placements_of_run(history, plan_of_run(history))
    spent: dict[str, float] = {}
    for (job, _), one in spent_by_attempt(history.attempts, placed, machines, now=now).items():
        spent[job] = spent.get(job, 0.0) + one.usd
    steps = {step.job_key: step.name for step in history.steps if step.status is Status.IN_PROGRESS}
    order = {Status.IN_PROGRESS: 0, Status.QUEUED: 1}

    def place(job: JobRecord) -> tuple[int, float]:
        ended = job.completed_at.timestamp() if job.completed_at else 0.0
        return order.get(job.status, 2), -ended

    return tuple(
        _job_row(job, placed.get(job.key), spent.get(job.key, 0.0), steps, now=now, signs=signs)
        for job in sorted(history.jobs, key=place)
    )


def _job_row(
    job: JobRecord, placement: Placement | None, usd: float, steps: Mapping[str, str], *, now: datetime, signs: Signs
) -> Row:
    standing = Standing.of(job.status, job.outcome, job.conclusion)
    estimate = ""
    if placement is not None:
        estimate = ("~" if placement.is_duration_assumed else "") + format_duration(placement.duration_seconds)
    return Row(
        key=job.key,
        cells=(
            job.name,
            f"{standing_sign(standing, signs)} {standing}",
            "" if placement is None else place_text(placement),
            _elapsed(job.started_at, job.completed_at, now if job.status is Status.IN_PROGRESS else None),
            estimate,
            format_usd(usd) if usd else "",
            steps.get(job.key, "") if job.conclusion is None else reason_text(job.reason, job.message),
        ),
        colour=STANDING_COLOURS[standing],
    )


def _standing(history: RunHistory) -> Standing:
    run = history.overview.run
    if run.conclusion is not None:
        return Standing(run.conclusion.value)
    return Standing.RUNNING if history.overview.is_driven else Standing.INTERRUPTED


def _elapsed(began: datetime | None, ended: datetime | None, now: datetime | None) -> str:
    until = ended or now
    if began is None or until is None:
        return ""
    seconds = (until - began).total_seconds()
    return format_duration(seconds) if ended else whole_seconds(max(0.0, seconds))


def _left(history: RunHistory, plan: Plan | None, now: datetime) -> str:
    """Return how long the run is expected to go on; nothing for one that nobody drives, or of which that is not known."""
    if plan is None or not history.overview.is_driven:
        return ""
    jobs = {job.key: JobProgress.of(job) for job in history.jobs}
    left = Forecast(plan, slots=history.overview.run.slots).left_seconds(jobs, now)
    return "" if left is None else f"about {whole_seconds(max(1.0, left))}"


def _money_and_carbon(spent: list[Spent]) -> tuple[str, str]:
    usd = sum(one.usd for one in spent)
    grams = sum(one.grams or 0.0 for one in spent)
    return (format_usd(usd) if usd else "", format_grams(grams) if grams else "")
