"""`skyflow cost`."""

import json
from typing import Annotated

import typer

from skyflow.cli._options import JsonOption, StateOption
from skyflow.model.costs import CostBy

__all__ = ["cost"]


def cost(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="A run: its number, its id, or `latest`; all without it.")
    ] = None,
    *,
    by: Annotated[CostBy, typer.Option("--by", help="What to tell apart.")] = CostBy.JOB,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what runs have cost: rented machines at the planned price, data that left its place, and what was emitted."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.costs import paid_for  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.model.costs import cost_lines, costs_of  # noqa: PLC0415

    (machines, transfers), now = paid_for(find_project(state=state), run), SystemClock().now()
    lines, total = cost_lines(machines, by, now, transfers), costs_of(machines, now, transfers)
    if as_json:
        shown = {
            "by": by.value,
            "lines": [{by.value: name} | costs.to_json() for name, costs in lines.items()],
            "total": total.to_json(),
        }
        out(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    from skyflow.report.costs import render_costs  # noqa: PLC0415 -- rich

    draw(render_costs(lines, total, by))
