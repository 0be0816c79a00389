"""`skyflow db`: looking after the state database."""

from pathlib import Path
from typing import Annotated

import typer

from skyflow.cli._options import StateOption

__all__ = ["db"]

db = typer.Typer(help="Look after the state database.", no_args_is_help=True, rich_markup_mode=None)


@db.command()
def check(*, state: StateOption = None) -> None:
    """Read the whole database and tell whether it is sound; exit code 6 if it is not."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.upkeep import check_store  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import EXIT_STORE  # noqa: PLC0415

    project = find_project(state=state)
    problems = check_store(project)
    for problem in problems:
        err(problem)
    if problems:
        err(f"{project.state.database} has {len(problems)} problem{'s' if len(problems) > 1 else ''}", style="red")
        raise typer.Exit(EXIT_STORE)
    out(f"{project.state.database} is sound")


@db.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; it must not exist.")],
    *,
    state: StateOption = None,
) -> None:
    """Copy the database as it is at this moment, also while runs go on; logs and artifacts are not in it."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.upkeep import back_up  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    back_up(find_project(state=state), target)
    out(f"Wrote {target}; `--state {target}` reads it")


@db.command()
def vacuum(*, state: StateOption = None) -> None:
    """Make the database file as small as it can be."""
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up
    from skyflow.app.upkeep import vacuum as make_small  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.model.units import format_gb  # noqa: PLC0415

    before, after = make_small(find_project(state=state))
    out(f"{format_gb(before / 1e9)} before, {format_gb(after / 1e9)} now")
