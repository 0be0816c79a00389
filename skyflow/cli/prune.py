"""`skyflow prune`."""

from datetime import timedelta
from typing import Annotated

import typer

from skyflow.cli._options import StateOption

__all__ = ["prune"]


def prune(
    *,
    older_than: Annotated[str, typer.Option("--older-than", metavar="AGE", help="How long ago it ended: 30d, 12h.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be forgotten.")] = False,
    state: StateOption = None,
) -> None:
    """Forget completed runs of some age, with their logs and artifacts; one that can be resumed is kept."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.upkeep import prune as forget  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.cli._errors import end_in_part  # noqa: PLC0415
    from skyflow.errors import UsageError  # noqa: PLC0415
    from skyflow.model.units import format_gb, parse_duration_seconds  # noqa: PLC0415

    try:
        age = timedelta(seconds=parse_duration_seconds(older_than))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--older-than: {error}", hint="for example --older-than 30d") from error
    done = forget(find_project(state=state), older_than=age, now=SystemClock().now(), dry_run=dry_run)
    for run in done.runs:
        out(f"run {run.number}: {run.title}, {run.conclusion}")
    if not done.runs and not done.freed_bytes:
        out(f"No run ended more than {older_than} ago: nothing to forget.")
        end_in_part(done.problems)
        return
    count = "1 run" if len(done.runs) == 1 else f"{len(done.runs)} runs"
    verb = "would be" if dry_run else "was" if len(done.runs) == 1 else "were"
    out(f"{count} {verb} forgotten, {format_gb(done.freed_bytes / 1e9)} {'to free' if dry_run else 'freed'}")
    end_in_part(done.problems)
