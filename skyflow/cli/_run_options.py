"""The options of `skyflow run` alone: where jobs run, what is taken over, when it is enough."""

from typing import Annotated

import typer

from skyflow.cli._quantities import read_option
from skyflow.errors import UsageError
from skyflow.model.units import parse_duration_seconds

__all__ = [
    "BudgetOption",
    "ChangedOption",
    "DebugOption",
    "ForceOption",
    "HostOption",
    "KeepForOption",
    "KeepGoingOption",
    "KeepOption",
    "NoCacheOption",
    "NowOption",
    "RehearseOption",
    "read_keep",
    "read_keep_time",
]

_KEEP_SECONDS = 3600.0
_MOST_KEEP_SECONDS = 3 * 86_400.0
"""A weekend: who forgets a machine pays for so long at most."""

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
KeepOption = Annotated[
    bool,
    typer.Option(
        "--keep",
        help="Give rented machines back an hour after their jobs, not at once; `skyflow ssh` opens a shell there.",
    ),
]
KeepForOption = Annotated[
    str | None, typer.Option("--keep-for", metavar="TIME", help="As --keep, for another time: 30m, 8h, at most 3d.")
]


def read_keep(*, keep: bool, keep_for: str | None) -> float:
    """Return how long rented machines stay after their jobs, in seconds.

    Raises:
        UsageError: that is no time, or too long.
    """
    if keep_for is None:
        return _KEEP_SECONDS if keep else 0.0
    return read_keep_time("--keep-for", keep_for)


def read_keep_time(option: str, text: str) -> float:
    """Return the time of an option that says how long machines stay, in seconds.

    Raises:
        UsageError: that is no time, or too long.
    """
    seconds = read_option(option, text, parse_duration_seconds)
    if not 0 < seconds <= _MOST_KEEP_SECONDS:
        raise UsageError(
            f"{option}: machines are kept for more than no time and at most three days, not {text}",
            hint="write for example 30m, 8h or 2d",
        )
    return seconds
