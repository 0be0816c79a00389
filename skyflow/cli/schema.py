"""`skyflow schema`."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = ["SchemaName", "schema"]


class SchemaName(StrEnum):
    """What there is a JSON Schema of."""

    WORKFLOW = "workflow"
    CONFIG = "config"
    CATALOG = "catalog"
    PLAN = "plan"
    EVENT = "event"
    RUN = "run"


def schema(
    name: Annotated[
        SchemaName, typer.Argument(help="Of what: workflow files, skyflow.yml, catalog tables, plans, events, or runs.")
    ] = (SchemaName.WORKFLOW),
) -> None:
    """Print a JSON Schema: of workflow files, for editors, or of what `--json` prints."""
    from skyflow._util.data_files import data_file  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415

    out(data_file("schemas", f"{name.value}.schema.json").read_text(encoding="utf-8").rstrip("\n"))
