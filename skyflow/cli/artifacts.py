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
    """List the artifacts of a run; where a store cannot be read, those of the others, with exit code 6."""
    from skyflow.app.artifacts import list_artifacts  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.cli._errors import end_in_part  # noqa: PLC0415
    from skyflow.report.artifact_list import artifact_lines, artifacts_to_json  # noqa: PLC0415

    stored = list_artifacts(find_project(state=state), run)
    if as_json:
        out(json.dumps(artifacts_to_json(stored.artifacts), indent=2, ensure_ascii=False))
    elif stored.artifacts or not stored.unread:
        for line in artifact_lines(stored.artifacts):
            out(line)
    end_in_part(stored.unread)


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
