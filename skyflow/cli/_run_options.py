"""The options of `skyflow run` alone: where jobs run, what is taken over, when it is enough."""

from typing import Annotated

import typer

__all__ = [
    "BudgetOption",
    "ChangedOption",
    "DebugOption",
    "ForceOption",
    "HostOption",
    "KeepGoingOption",
    "NoCacheOption",
    "NowOption",
    "RehearseOption",
]

HostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="HOST[=JOBS]",
        help="Run all jobs there instead of here, over SSH: a name as `ssh` takes it, or ssh://USER@ADDRESS:PORT; "
        "may be repeated.",
    ),
]
DebugOption = Annotated[
    bool, typer.Option("--debug", help="Show ::debug:: lines and set RUNNER_DEBUG.  [default: if RUNNER_DEBUG=1]")
]
KeepGoingOption = Annotated[
    bool, typer.Option("--keep-going", "-k", help="Let the rest of a matrix go on when one of its jobs fails.")
]
BudgetOption = Annotated[
    float | None, typer.Option("--budget", metavar="USD", min=0, help="Begin no job that might cost more in all.")
]
ChangedOption = Annotated[
    bool, typer.Option("--changed", help="Take over every job for which nothing has changed since it succeeded.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Run jobs with `cache` although nothing has changed.")]
NoCacheOption = Annotated[bool, typer.Option("--no-cache", help="As --force, and remember nothing.")]
NowOption = Annotated[bool, typer.Option("--now", help="Plan no job to wait for cleaner power.")]
RehearseOption = Annotated[
    bool,
    typer.Option("--rehearse", help="Run all jobs on this machine, whatever they ask for; sets SKYFLOW_REHEARSAL."),
]
