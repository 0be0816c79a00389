"""The first and the last words of a run on the command line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from shlex import quote

import typer

from skyflow._util.text import sentence_list
from skyflow.app.clock import SystemClock
from skyflow.app.running.drive import ReporterFactory, RunResult
from skyflow.app.showing.history import step_summaries
from skyflow.cli._console import draw, err, out
from skyflow.cli._options import Format, in_github_actions
from skyflow.model.costs import costs_of
from skyflow.model.history import RunHistory
from skyflow.model.job_keys import names_in_plan, without_combination
from skyflow.model.placement import Plan, read_plan
from skyflow.model.resources import LOCAL, OWN
from skyflow.model.run import RunOverview, RunRecord
from skyflow.model.status import Conclusion, Status
from skyflow.model.units import format_usd
from skyflow.ports.reporter import Reporter
from skyflow.report.words import signs_for

__all__ = ["announce", "finish"]

_MOST_HINTS = 3
_MOST_NODES = 40
_MOST_WAITING = 10


def announce(reporter: ReporterFactory, slots: int | None, *, shown: Format) -> ReporterFactory:
    """Return a reporter factory that says which run begins, and how it was planned, before it does."""

    @contextmanager
    def announced(run: RunRecord) -> Iterator[Reporter]:
        if shown is not Format.JSON:
            verb = "Run" if run.status is Status.QUEUED else "Resuming run"
            plan = Plan.from_json(run.plan) if isinstance(run.plan, dict) else None
            rehearsal = "a rehearsal; " if run.options.rehearsal else ""
            out(f"{verb} {run.number}: {run.title}; {rehearsal}{_planned(run, plan, slots or run.slots)}")
        with reporter(run) as listener:
            yield listener

    return announced


def _where(run: RunRecord, plan: Plan) -> str:
    """Return where jobs are: on this machine, or what stands in for it, in pools, and in clouds."""
    offerings = [each.offering for each in plan.placements]
    pools = sorted({each.region for each in offerings if each.provider == OWN})
    clouds = sorted({each.provider for each in offerings} - {LOCAL, OWN})
    is_any_here = not offerings or any(each.provider == LOCAL for each in offerings)
    return sentence_list([*((run.options.hosts or ("this machine",)) if is_any_here else ()), *pools, *clouds])


def _planned(run: RunRecord, plan: Plan | None, slots: int) -> str:
    """Return how many jobs are planned, where, and how many run at once here or on what stands in for it."""
    if plan is None:
        return f"{slots} at once"
    jobs = f"{_count(len(plan.placements))} planned on {_where(run, plan)}"
    here = [each.offering.provider == LOCAL for each in plan.placements]
    if here and not any(here):
        return jobs
    return f"{jobs}, {slots} at once{'' if all(here) or run.options.hosts else ' here'}"


def _count(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def finish(result: RunResult, *, shown: Format) -> None:
    """Show how a run ended, and exit with its code.

    Raises:
        typer.Exit: always.
    """
    if in_github_actions() or shown is Format.GITHUB:
        _append_to_outer_summary(result)
    if shown is Format.JSON:
        raise typer.Exit(result.exit_code)
    token = token_hex(16)
    if shown is Format.GITHUB:
        out(f"::stop-commands::{token}")  # summaries and names say what steps wanted: nothing of it is for GitHub
    _draw_ending(result)
    if shown is Format.GITHUB:
        out(f"::{token}::")
    raise typer.Exit(result.exit_code)


def _draw_ending(result: RunResult) -> None:
    from skyflow.report.summary import render_run  # noqa: PLC0415 -- rich

    parts = render_run(
        result.run,
        result.jobs,
        summaries=step_summaries(result.folder, result.jobs),
        annotations=result.annotations,
        signs=signs_for(sys.stdout.encoding),
    )
    draw(parts)
    if result.machines:
        from skyflow.report.costs import data_text, machines_text  # noqa: PLC0415 -- rich

        plan = read_plan(result.first_plan)
        costs = costs_of(result.machines, result.run.completed_at or SystemClock().now(), result.transfers)
        planned = "" if plan is None else f" (planned {format_usd(plan.cost.compute_usd)})"
        out(f"Rented {machines_text(costs)}{planned}")
        if costs.data_gb:
            out(f"Moved {data_text(costs, plan)}")
        _say_what_is_kept(result)
    for job in [job for job in result.jobs if job.conclusion is Conclusion.FAILURE and job.started_at][:_MOST_HINTS]:
        out(f"What it printed: skyflow logs {result.run.number} {quote(job.key)}")
    if result.run.status is not Status.COMPLETED:
        _say_what_is_to_come(result)
        out(f"Interrupted. `skyflow resume {result.run.number}` continues it.")


def _say_what_is_to_come(result: RunResult) -> None:
    """Name the jobs that no row of the table stands for, because what they need has not completed."""
    plan = read_plan(result.run.plan)
    there = {name for job in result.jobs for name in (job.spec_id, *names_in_plan(job.key))}
    planned = (placement.job for placement in plan.placements) if plan is not None else ()
    waiting = [name for name in dict.fromkeys(map(without_combination, planned)) if name not in there]
    if waiting:
        more = f" and {len(waiting) - _MOST_WAITING} more" if len(waiting) > _MOST_WAITING else ""
        out(f"Waiting for what they need: {', '.join(waiting[:_MOST_WAITING])}{more}")


def _say_what_is_kept(result: RunResult) -> None:
    from skyflow.report.kept import kept_text, sum_text  # noqa: PLC0415 -- few runs keep machines

    now = SystemClock().now()
    kept = sorted((each for each in result.machines if each.is_kept(now)), key=lambda each: (each.user, each.node))
    for machine in kept:
        out(f"Kept: {kept_text(machine, now)}; `skyflow ssh {quote(machine.user[0])} --run {result.run.number}`")
    if kept:
        out(f"`skyflow down {result.run.number}` gives back {sum_text(kept)}.")


def _append_to_outer_summary(result: RunResult) -> None:
    """Add the run to the summary of the CI step that skyflow runs in, where there is one."""
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    from skyflow.report.markdown import SUMMARY_LIMIT_BYTES, run_markdown  # noqa: PLC0415 -- rarely needed

    try:
        with Path(name).open("a", encoding="utf-8") as file:
            text = run_markdown(
                result.run,
                result.jobs,
                annotations=result.annotations,
                summaries=step_summaries(result.folder, result.jobs),
                graph=_mermaid(result),
                limit=SUMMARY_LIMIT_BYTES - file.tell(),
            )
            file.write(text)
    except OSError as error:
        err(f"warning: the summary cannot be added to {name}: {error.strerror}", style="yellow")


def _mermaid(result: RunResult) -> str:
    """Return the graph of a run for a page that draws Mermaid; nothing where it would be too large to be read."""
    from skyflow.app.showing.graph import expected_of_run, graph_of_run  # noqa: PLC0415 -- rarely needed
    from skyflow.report.graph_languages import to_mermaid  # noqa: PLC0415

    overview = RunOverview(run=result.run, is_driven=False)
    history = RunHistory(overview=overview, jobs=result.jobs, attempts=(), steps=())
    graph = graph_of_run(history, expected_of_run(history))
    return to_mermaid(graph, with_places=False) if 1 < len(graph.nodes) <= _MOST_NODES else ""
