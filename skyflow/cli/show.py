"""`skyflow show`."""

import json
import sys
from typing import Annotated

import typer

from skyflow.cli._junit import JunitOption, write_junit
from skyflow.cli._options import JsonOption, RunArgument, StateOption

__all__ = ["show"]


def show(
    run: RunArgument = "latest",
    *,
    state: StateOption = None,
    as_json: JsonOption = False,
    junit: JunitOption = None,
    summary: Annotated[bool, typer.Option("--summary", help="Show the step summaries instead.")] = False,
) -> None:
    """Show a run: its jobs, attempts and steps, how each ended and why, and the annotations of its steps."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.history import read_run, step_summaries  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    if summary and as_json:
        raise UsageError("--summary is for people, --json for programs; give one of them")
    project = find_project(state=state)
    history = read_run(project, run)
    write_junit(junit, project, history.overview.run.id)
    if as_json:
        from skyflow.report.run_json import history_to_json  # noqa: PLC0415

        out(json.dumps(history_to_json(history), indent=2, ensure_ascii=False))
        return
    if summary:
        from skyflow.report.step_summaries import render_summaries  # noqa: PLC0415

        found = step_summaries(project.state.run(history.overview.run.id), history.jobs)
        if not found:
            out(f"No step of run {history.overview.run.number} has written a summary.")
        draw(render_summaries(found))
        return
    from skyflow.report.history import render_history  # noqa: PLC0415
    from skyflow.report.words import signs_for  # noqa: PLC0415

    draw(render_history(history, signs_for(sys.stdout.encoding), SystemClock().now()))
