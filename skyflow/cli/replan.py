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
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Plan the rest of a run anew, without running anything: what has ended or runs stays where it is."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.replan import replan_run  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415

    found = replan_run(run, project=find_project(state=state), now=SystemClock().now(), lost=lost or ())
    if as_json:
        out(json.dumps({**found.to_json(), "plan": found.new.to_json()}, indent=2, ensure_ascii=False))
        return
    from skyflow.report.plan_table import render_plan  # noqa: PLC0415
    from skyflow.report.plan_views import render_diff  # noqa: PLC0415

    draw((render_plan(found.new), render_diff(found)))
