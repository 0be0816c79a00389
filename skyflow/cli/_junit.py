"""`--junit FILE`, for the commands that run or show a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.errors import UsageError

if TYPE_CHECKING:
    from skyflow.app.project import Project
    from skyflow.model.execution import StepRef
    from skyflow.model.run import RunId

__all__ = ["JunitOption", "check_junit", "write_junit"]

_TAIL_BYTES = 8_000

JunitOption = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML, which CI systems can show."),
]


def check_junit(path: Path | None) -> None:
    """Let a path pass that can be written to; to be asked before hours of work depend on it.

    Raises:
        UsageError: there is no such folder, or the path is one.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder", hint="name a file, for example junit.xml")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}", hint="make it, or name another file")


def write_junit(path: Path | None, project: "Project", run: "RunId") -> None:
    """Write the results of a run, if that is wanted.

    Raises:
        UsageError: the file cannot be written.
    """
    if path is None:
        return
    from skyflow.app.showing.history import read_run  # noqa: PLC0415 -- rarely needed
    from skyflow.report.junit import to_junit  # noqa: PLC0415

    folder = project.state.run(run)

    def tail_of(step: "StepRef") -> str:
        try:
            with folder.log(step).open("rb") as file:
                size = file.seek(0, 2)
                file.seek(max(0, size - _TAIL_BYTES))
                return file.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    document = to_junit(read_run(project, run), tail_of=tail_of)
    try:
        path.write_bytes(document)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
