"""`skyflow why`."""

from typing import Annotated

import typer

from skyflow.cli._completion import complete_job
from skyflow.cli._options import RunArgument, StateOption

__all__ = ["why"]


def why(
    job: Annotated[
        str, typer.Argument(metavar="JOB", help="The job: its id, key or name.", autocompletion=complete_job)
    ],
    run: RunArgument = "latest",
    *,
    state: StateOption = None,
) -> None:
    """Tell why a job was run rather than taken over: what had changed since it last succeeded."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.running.why import explain  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    record, found = explain(find_project(state=state), run, job)
    for each in found:
        out(f"{each.job.name}, run {record.number}:")
        for reason in each.reasons:
            out(f"  {reason}")
