"""Which machines a command means that stayed after their runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._completion import complete_run

if TYPE_CHECKING:
    from skyflow.app.machines.give_back import Staying
    from skyflow.app.project import Project
    from skyflow.model.machines import MachineRecord

__all__ = ["AllRunsOption", "RunOfMachines", "chosen_machines"]

RunOfMachines = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="A run: its number, its id, or `latest`.  [default: the newest that has machines left]",
        autocompletion=complete_run,
    ),
]
AllRunsOption = Annotated[bool, typer.Option("--all", help="The machines of all runs.")]


def chosen_machines(
    run: str | None, *, of_all: bool, project: "Project"
) -> "tuple[Staying, tuple[MachineRecord, ...]]":
    """Return the machines that are meant, and those that other runs have left.

    Raises:
        UsageError: a run is named beside `--all`, there is no such run, or it goes on and keeps nothing yet.
    """
    from skyflow.app.machines.give_back import staying_machines  # noqa: PLC0415 -- start-up
    from skyflow.errors import UsageError  # noqa: PLC0415

    if run is not None and of_all:
        raise UsageError("a run and --all contradict each other", hint="leave one of them away")
    there = staying_machines(project, run)
    chosen = there if of_all or run is not None else there.of_newest_run()
    return chosen, tuple(each for each in there.machines if each not in chosen.machines)
