"""`skyflow wait`."""

from typing import Annotated

import typer

from skyflow.cli._options import RunArgument, StateOption

__all__ = ["wait"]


def wait(
    run: RunArgument = "latest",
    *,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Give up after so long: 90s, 1h; exit code 124.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Wait until a run ends, and exit with its code."""
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.running.follow import wait_for_run  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.cli._quantities import read_option  # noqa: PLC0415
    from skyflow.errors import EXIT_TIMEOUT  # noqa: PLC0415
    from skyflow.model.status import Status  # noqa: PLC0415
    from skyflow.model.units import parse_duration_seconds  # noqa: PLC0415

    seconds = None if timeout is None else read_option("--timeout", timeout, parse_duration_seconds)
    result = wait_for_run(run, project=find_project(state=state), timeout_seconds=seconds)
    if result is None:
        err(f"the run has not ended within {timeout}")
        raise typer.Exit(EXIT_TIMEOUT)
    if result.run.status is Status.COMPLETED:
        out(f"Run {result.run.number}: {result.run.conclusion}")
    else:
        out(f"Run {result.run.number} was interrupted. `skyflow resume {result.run.number}` continues it.")
    raise typer.Exit(result.exit_code)
