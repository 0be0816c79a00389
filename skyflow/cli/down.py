"""`skyflow down`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._machines_left import AllRunsOption, RunOfMachines, chosen_machines
from skyflow.cli._options import StateOption

if TYPE_CHECKING:
    from datetime import datetime

    from skyflow.app.machines.give_back import Staying

__all__ = ["down"]


def down(
    run: RunOfMachines = None,
    *,
    of_all: AllRunsOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: StateOption = None,
) -> None:
    """Give back the machines that stayed after a run, as with `skyflow run --keep`."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.give_back import give_back  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import ProvisionError, UsageError  # noqa: PLC0415
    from skyflow.report.kept import kept_text, sum_text  # noqa: PLC0415

    project, clock = find_project(state=state), SystemClock()
    chosen, rest = chosen_machines(run, of_all=of_all, project=project)
    if not chosen.machines:
        out("No machine is left.")
        return
    _list(chosen, clock.now())
    if not yes and not _agrees(f"Give back {sum_text(chosen.machines)}?"):
        raise UsageError("nothing was given back")
    failed = []
    for machine, problem in give_back(chosen.machines, project, clock):
        if problem is not None:
            failed.append(machine)
            err(f"not given back: {kept_text(machine, clock.now())}: {problem}", style="red")
    gone = [each for each in chosen.machines if each not in failed]
    if gone:
        out(f"Given back: {sum_text(gone)}.")
    if rest:
        out(f"Other runs have {sum_text(rest)}: `skyflow down --all`")
    if failed:
        where = sorted({each.offering.provider for each in failed})
        raise ProvisionError(f"machines may be left in {', '.join(where)}", hint="`skyflow gc` tries again")


def _list(chosen: "Staying", now: "datetime") -> None:
    from skyflow.cli._console import out  # noqa: PLC0415 -- start-up
    from skyflow.report.kept import kept_text  # noqa: PLC0415

    for run, machines in chosen.runs:
        out(f"Run {run.number}: {run.title}")
        for machine in machines:
            out(f"  {kept_text(machine, now)}")


def _agrees(question: str) -> bool:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up

    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", hint="`--yes` says yes beforehand")
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
