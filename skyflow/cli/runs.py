"""`skyflow runs`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import JsonOption, StateOption

__all__ = ["runs"]


def runs(
    *,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many, newest first.")] = 20,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs of this project, newest first."""
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.history import list_runs  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import draw, out  # noqa: PLC0415

    found = list_runs(find_project(state=state), limit=limit)
    if as_json:
        from skyflow.report.run_json import overview_to_json  # noqa: PLC0415

        out(json.dumps([overview_to_json(run) for run in found], indent=2, ensure_ascii=False))
        return
    from skyflow.report.history import render_runs  # noqa: PLC0415

    draw((render_runs(found),))
