"""`skyflow init`."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["init"]


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = Path("workflows/main.yml"),
) -> None:
    """Write a small workflow with comments, to start from; a file that exists is left as it is."""
    from skyflow.app.starter import write_starter  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415

    write_starter(file)
    out(f"Wrote {file}. Try `skyflow validate {file}`, then `skyflow run {file}`.")
