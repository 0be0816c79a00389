"""`skyflow artifacts`: what runs have stored."""

import json
from pathlib import Path
from typing import Annotated

import typer

from skyflow.cli._options import JsonOption, RunArgument, StateOption

__all__ = ["artifacts"]

artifacts = typer.Typer(
    help="Look at, fetch and remove what runs have stored.", no_args_is_help=True, rich_markup_mode=None
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name of an artifact.")]
RunOption = Annotated[str, typer.Option("--run", metavar="RUN", help="A run: its number, its id, or `latest`.")]


@artifacts.command("list")
def list_(run: RunArgument = "latest", *, state: StateOption = None, as_json: JsonOption = False) -> None:
    """List the artifacts of a run."""
    from skyflow.app.artifacts import list_artifacts  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.report.artifact_list import artifact_lines, artifacts_to_json  # noqa: PLC0415

    found = list_artifacts(find_project(state=state), run)
    if as_json:
        out(json.dumps(artifacts_to_json(found), indent=2, ensure_ascii=False))
        return
    for line in artifact_lines(found):
        out(line)


@artifacts.command()
def get(
    name: NameArgument,
    *,
    run: RunOption = "latest",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where to; by default a folder of that name.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Write the files of an artifact into a folder, over those that are there."""
    from skyflow.app.artifacts import fetch_artifact  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.model.units import format_gb  # noqa: PLC0415

    folder = to or Path(name)
    artifact = fetch_artifact(find_project(state=state), run, name, folder)
    out(f"Wrote {format_gb(artifact.size / 1e9)} to {folder}")


@artifacts.command()
def rm(name: NameArgument, *, run: RunOption = "latest", state: StateOption = None) -> None:
    """Forget an artifact; `skyflow prune` gives back the room that nothing else needs."""
    from skyflow.app.artifacts import remove_artifact  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    artifact = remove_artifact(find_project(state=state), run, name)
    out(f"Removed '{artifact.name}'")
