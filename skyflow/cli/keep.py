"""`skyflow keep`."""

from typing import Annotated

import typer

from skyflow.cli._machines_left import AllRunsOption, RunOfMachines, chosen_machines
from skyflow.cli._options import StateOption

__all__ = ["keep"]


def keep(
    run: RunOfMachines = None,
    *,
    time: Annotated[str, typer.Option("--for", metavar="TIME", help="How long from now: 30m, 8h, at most 3d.")] = "1h",
    of_all: AllRunsOption = False,
    state: StateOption = None,
) -> None:
    """Let machines that stayed after a run, as with `skyflow run --keep`, stay until so long from now."""
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.machines.give_back import staying_machines  # noqa: PLC0415
    from skyflow.app.machines.keep_longer import keep_longer  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.cli._run_options import read_keep_time  # noqa: PLC0415
    from skyflow.errors import ProvisionError, UsageError  # noqa: PLC0415
    from skyflow.report.kept import kept_text, sum_text  # noqa: PLC0415

    seconds = read_keep_time("--for", time)
    project, clock = find_project(state=state), SystemClock()
    chosen, _ = chosen_machines(run, of_all=of_all, project=project)
    if not chosen.machines:
        raise UsageError("no machine is left", hint="`skyflow run --keep` has rented machines stay after their jobs")
    ended = keep_longer(chosen.machines, seconds, project=project, clock=clock)
    now = {each.name: each for each in staying_machines(project, run).machines}
    for machine, problem in ended:
        if problem:
            err(f"not kept longer: {kept_text(machine, clock.now())}: {problem}", style="red")
        else:
            out(f"Kept: {kept_text(now[machine.name], clock.now())}")
    if stay := [machine for machine, problem in ended if not problem]:
        out(f"That is {sum_text(stay)}.")
    if len(stay) < len(ended):
        raise ProvisionError("not all of these machines stay longer", hint="`skyflow instances` tells what there is")
