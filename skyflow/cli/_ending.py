"""The first and the last words of a run on the command line."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import typer

from skyflow.app.drive import ReporterFactory, RunResult
from skyflow.app.history import step_summaries
from skyflow.cli._console import draw, err, out
from skyflow.cli._options import Format, in_github_actions
from skyflow.model.placement import Plan
from skyflow.model.run import RunRecord
from skyflow.model.status import Status
from skyflow.ports.reporter import Reporter
from skyflow.report.words import signs_for

__all__ = ["announce", "finish"]


def announce(reporter: ReporterFactory, slots: int | None, *, shown: Format) -> ReporterFactory:
    """Return a reporter factory that says which run begins, and how it was planned, before it does."""

    @contextmanager
    def announced(run: RunRecord) -> Iterator[Reporter]:
        if shown is not Format.JSON:
            verb = "Run" if run.status is Status.QUEUED else "Resuming run"
            plan = Plan.from_json(run.plan) if isinstance(run.plan, dict) else None
            where = ", ".join(run.options.hosts) or "this machine"
            jobs = "" if plan is None else f"{_count(len(plan.placements))} planned on {where}, "
            out(f"{verb} {run.number}: {run.title}; {jobs}{slots or run.slots} at once")
        with reporter(run) as listener:
            yield listener

    return announced


def _count(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs} jobs"


def finish(result: RunResult, *, shown: Format) -> None:
    """Show how a run ended, and exit with its code.

    Raises:
        typer.Exit: always.
    """
    if in_github_actions():
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
    if result.run.status is not Status.COMPLETED:
        out(f"Interrupted. `skyflow resume {result.run.number}` continues it.")


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
                limit=SUMMARY_LIMIT_BYTES - file.tell(),
            )
            file.write(text)
    except OSError as error:
        err(f"warning: the summary cannot be added to {name}: {error.strerror}", style="yellow")
