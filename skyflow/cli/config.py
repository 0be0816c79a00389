"""`skyflow config`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="The project's skyflow.yml: its own machines, and what it pays.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    pass


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="By default the project's skyflow.yml.")] = None,
) -> None:
    """Check a skyflow.yml: its form, and whether what it names is in the catalog."""
    from skyflow.app.config import check_config  # noqa: PLC0415 -- start-up
    from skyflow.app.project import CONFIG_NAME, find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.cli._findings import print_findings  # noqa: PLC0415

    checked = check_config(file or find_project().root / CONFIG_NAME)
    print_findings(checked.findings)
    for doubt in checked.doubts:
        err(f"warning: {doubt}", style="yellow")
    config = checked.config
    counted = (
        (sum(pool.count for pool in config.pools), "machine"),
        (len(config.prices), "price rule"),
        (len(config.peerings), "line between clouds"),
    )
    said = [f"{number} {what if number == 1 else _plural(what)}" for number, what in counted if number]
    out(f"{checked.path.name} is valid: {', '.join(said) or 'it declares nothing'}")


def _plural(what: str) -> str:
    return what.replace("line", "lines", 1) if what.startswith("line") else f"{what}s"
