"""Runs as they are remembered: the list of them, and one with all its jobs, attempts and steps."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow._util.text import sentence_list
from skyflow.model.costs import costs_of
from skyflow.model.history import RunHistory
from skyflow.model.placement import read_plan
from skyflow.model.run import AttemptRecord, JobRecord, RunOverview, StepRecord
from skyflow.model.status import Conclusion, Status
from skyflow.model.units import format_usd
from skyflow.report.annotations import render_annotations
from skyflow.report.costs import data_text, machines_text
from skyflow.report.fitting import FittedTable
from skyflow.report.kept import kept_text
from skyflow.report.rows import Row, Rows
from skyflow.report.words import COLOURS, Signs, elapsed, reason_text, verdict_text

__all__ = ["render_history", "render_runs"]


def render_runs(runs: Sequence[RunOverview]) -> FittedTable | Text:
    """Return a table of runs, or a sentence where there are none."""
    if not runs:
        return Text("No run yet. `skyflow run FILE` makes the first.")
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("workflow", overflow="ellipsis", no_wrap=True)
    table.add_column("result", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("started", no_wrap=True, style="bright_black")
    table.add_column("id", no_wrap=True, style="bright_black")
    for overview in runs:
        run = overview.run
        table.add_row(
            str(run.number),
            Text(run.title),
            Text(overview.state.replace("_", " "), _colour(overview)),
            elapsed(run.started_at, run.completed_at),
            _local(run.created_at),
            run.id,
        )
    return FittedTable(table, gives_way=1, gap=2, may_lose_last=True)


def render_history(history: RunHistory, signs: Signs, now: datetime) -> Iterator[RenderableType]:
    """Yield what to print of one run: a headline, then every job with its steps."""
    overview = history.overview
    run = overview.run
    yield Text.assemble(
        (f"Run {run.number}", "bold"),
        f"  {run.title}  ",
        (overview.state.replace("_", " "), _colour(overview)),
        (f"  {elapsed(run.started_at, run.completed_at)}  {_local(run.created_at)}  {run.id}", "bright_black"),
    )
    yield Text(f"from {run.workflow_path}", "bright_black")
    if overview.state == Status.INTERRUPTED.value:
        yield Text(f"`skyflow resume {run.number}` continues it.", "yellow")
    for earlier in history.superseded:
        yield Text(f"Planned anew at {earlier.at.astimezone():%H:%M:%S}: {earlier.why}", "bright_black")
    yield from _costs(history, now)
    yield Rows([row for job in history.jobs for row in _job_rows(history, job, signs)], style="bright_black")
    if history.annotations:
        yield Text()
        yield from render_annotations(history.jobs, history.last_annotations)


def _job_rows(history: RunHistory, job: JobRecord, signs: Signs) -> Iterator[Row]:
    """Yield a job, its attempts if there were several, their steps, and its outputs, below an empty line."""
    yield Row(Text())
    attempts = history.attempts_of(job.key)
    yield _job_row(job, signs, _where(history, attempts[0]) if len(attempts) == 1 else "")
    for attempt in attempts:
        if len(attempts) > 1:
            yield _attempt_row(attempt, _where(history, attempt))
        for step in history.steps_of(job.key, attempt.number):
            yield _step_row(step, signs)
    for name, value in job.outputs.items():
        yield Row(Text.assemble("  ", (f"{name} = ", "bright_black"), _one_line(value)))


def _costs(history: RunHistory, now: datetime) -> Iterator[Text]:
    """Yield what was rented and moved, beside what was planned."""
    plan, costs = read_plan(history.first_plan), costs_of(history.machines, now, history.transfers)
    if history.machines:
        text = "" if plan is None else f"; planned {format_usd(plan.cost.compute_usd)}"
        yield Text(f"Rented {machines_text(costs)}{text}", "bright_black")
    if costs.data_gb:
        yield Text(f"Moved {data_text(costs, plan)}", "bright_black")
    for machine in history.machines:
        if machine.is_kept(now):
            yield Text(
                f"Kept: {kept_text(machine, now)}; `skyflow down {history.overview.run.number}` gives it back", "yellow"
            )


def _where(history: RunHistory, attempt: AttemptRecord) -> str:
    """Return the machines that an attempt had, else those that it asked for; nothing for one that ran here."""
    which = (attempt.job_key, attempt.number)
    asked = history.machines_of(*which)
    had = [each for each in asked if each.created_at is not None] or asked
    rented = (f"{each.offering.instance_type} in {each.offering.place.name}" for each in had)
    machines = [*history.hosts.get(which, ()), *rented]
    return f"on {sentence_list(machines)}" if machines else ""


def _job_row(job: JobRecord, signs: Signs, where: str) -> Row:
    sign = _signed(signs, job.status, job.outcome, job.conclusion)
    return Row(
        sign.append(job.name, "bold"),
        elapsed(job.started_at, job.completed_at),
        _joined(where, reason_text(job.reason, job.message)),
    )


def _attempt_row(attempt: AttemptRecord, where: str) -> Row:
    took = elapsed(attempt.started_at, attempt.completed_at)
    return Row(Text(f"  attempt {attempt.number}"), took, _joined(where, reason_text(attempt.reason, attempt.message)))


def _step_row(step: StepRecord, signs: Signs) -> Row:
    line = Text("  ") + _signed(signs, step.status, step.outcome, step.conclusion).append(
        f"{step.position} {step.name}"
    )
    return Row(line, elapsed(step.started_at, step.completed_at), reason_text(step.reason, step.message))


def _signed(signs: Signs, status: Status, outcome: Conclusion | None, conclusion: Conclusion | None) -> Text:
    text = Text(f"{signs.of(status, conclusion)} ", COLOURS[conclusion] if conclusion else "cyan")
    if outcome is Conclusion.FAILURE and conclusion is Conclusion.SUCCESS:
        text.append(f"({verdict_text(outcome, conclusion, status)}) ", "yellow")
    return text


def _colour(overview: RunOverview) -> str:
    return COLOURS[overview.run.conclusion] if overview.run.conclusion else "yellow"


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)


def _one_line(value: str) -> str:
    return " / ".join(value.splitlines())
