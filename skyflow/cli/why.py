"""`skyflow why`."""

from typing import Annotated

import typer

from skyflow.cli._options import StateOption

__all__ = ["why"]


def why(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job: its id, key or name.")],
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="A run: its number, its id, or `latest`.")] = "latest",
    *,
    state: StateOption = None,
) -> None:
    """Tell why a job was run rather than taken over: what had changed since it last succeeded."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.why import explain  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    record, found = explain(find_project(state=state), run, job)
    for each in found:
        out(f"{each.job.name}, run {record.number}:")
        for reason in each.reasons:
            out(f"  {reason}")
