"""`skyflow replan`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import JsonOption, RunArgument, StateOption

__all__ = ["replan"]


def replan(
    run: RunArgument = "latest",
    *,
    lost: Annotated[
        list[str] | None,
        typer.Option("--lost", metavar="OFFERING", help="An offering that cannot be had any more; may be repeated."),
    ] = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply", help="Let the run go on by the new plan; it must be interrupted, and is resumed after."
        ),
    ] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the rest of a run anew, without running anything: what has ended or runs stays where it is."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.planning.replan import adopt_plan, replan_run  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import draw, err, out  # noqa: PLC0415

    project, now = find_project(state=state), SystemClock().now()
    found = replan_run(run, project=project, now=now, lost=lost or ())
    if apply:
        why = f"without {', '.join(lost)}, by `skyflow replan`" if lost else "by `skyflow replan`"
        adopted = adopt_plan(run, found.new, project=project, now=now, why=why)
        err(f"Run {adopted.number} has this plan now; `skyflow resume {adopted.number}` goes on by it.")
    if as_json:
        out(json.dumps({**found.to_json(), "plan": found.new.to_json()}, indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_table import render_plan  # noqa: PLC0415
    from skyflow.report.plan_views import render_diff  # noqa: PLC0415

    draw((render_plan(found.new), render_diff(found)))
