"""`skyflow report`."""

import gc
import sys
from pathlib import Path
from typing import Annotated

import typer

from skyflow.cli._options import RunArgument, StateOption

__all__ = ["report"]


def report(
    run: RunArgument = "latest",
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to write; - for standard output.  [default: report-RUN.html]"
        ),
    ] = None,
    frontier: Annotated[
        bool | None,
        typer.Option(
            "--frontier/--no-frontier",
            help="Look for plans that the run could have had.  [default: where it had a choice, for at most 100 jobs]",
        ),
    ] = None,
    state: StateOption = None,
) -> None:
    """Write a run as one HTML page: its graph, time line, summaries, annotations, costs, and logs that can be searched."""
    gc.disable()  # a short life that makes many values and hardly a cycle
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.report import make_report  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415

    history, page = make_report(find_project(state=state), run, clock=SystemClock(), with_frontier=frontier)
    if output == Path("-"):
        sys.stdout.write(page)
        return
    path = output or Path(f"report-{history.overview.run.number}.html")
    try:
        path.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    out(f"Run {history.overview.run.number} is in {path}")
