"""The options of `skyflow plan` alone: what is planned, within which limits, and what is shown of it."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CarbonCapOption",
    "CompareOption",
    "CostLimitOption",
    "DeadlineOption",
    "DiffOption",
    "ExplainOption",
    "FrontierOption",
    "ProblemOption",
    "SolverOption",
    "StartOption",
    "SvgOption",
    "TimeLimitOption",
    "WaitOption",
]

ProblemOption = Annotated[
    str | None,
    typer.Option("--problem", metavar="FILE", help="Plan a bare placement problem instead of a workflow."),
]
DeadlineOption = Annotated[str | None, typer.Option("--deadline", metavar="TIME", help="End within 4h, 90m, ...")]
CostLimitOption = Annotated[str | None, typer.Option("--budget", metavar="USD", help="Cost no more than this.")]
CarbonCapOption = Annotated[
    str | None, typer.Option("--carbon-cap", metavar="CO2", help="Emit no more than 2kg, 1.5t, ...")
]
WaitOption = Annotated[
    str | None,
    typer.Option("--wait", metavar="TIME", help="Let jobs wait for cleaner power until so long after the start."),
]
StartOption = Annotated[
    str | None,
    typer.Option("--start", metavar="MOMENT", help="When the run is to begin: 2026-07-01T08:00Z.  [default: now]"),
]
ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Show why, and what else: per job, and what each limit costs.")
]
FrontierOption = Annotated[
    bool, typer.Option("--frontier", help="Show the plans that none beats in cost, time and carbon at once.")
]
SvgOption = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="With --frontier: draw it into this file.")
]
CompareOption = Annotated[
    bool, typer.Option("--compare", help="Show the plan beside one cloud only, and on demand only.")
]
DiffOption = Annotated[
    str | None, typer.Option("--diff", metavar="RUN|FILE", help="Show what changed since a run, or a plan's JSON.")
]
TimeLimitOption = Annotated[
    str, typer.Option("--time-limit", metavar="TIME", help="Show the best plan after so long: 2s, 1m, ...")
]
SolverOption = Annotated[
    str, typer.Option("--solver", metavar="cbc|highs", help="Who decides what the bounds leave open.")
]
