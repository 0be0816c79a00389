"""`skyflow logs`."""

import sys
from typing import Annotated

import typer

from skyflow.cli._completion import complete_job
from skyflow.cli._options import RunArgument, StateOption

__all__ = ["logs"]


def logs(
    run: RunArgument = "latest",
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="[JOB]",
            help="Only this job: its id, key or name; by default all.",
            autocompletion=complete_job,
        ),
    ] = None,
    *,
    state: StateOption = None,
) -> None:
    """Print what the steps of a run printed, in the order of jobs and steps."""
    from skyflow.app.history import read_run, step_logs  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.report.lines import OutputLines  # noqa: PLC0415
    from skyflow.report.words import signs_for  # noqa: PLC0415

    project = find_project(state=state)
    for title, lines in step_logs(project, read_run(project, run), job=job):
        sys.stdout.write(f"{title}\n")
        shown = OutputLines(signs_for(sys.stdout.encoding))
        for line in lines:
            for text in shown.shown(f"{line}\n"):
                sys.stdout.write(f"  {text}\n" if text else "\n")
