"""`skyflow logs`."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._completion import complete_job
from skyflow.cli._options import RunArgument, StateOption
from skyflow.errors import UsageError

if TYPE_CHECKING:
    from skyflow.app.project import Project
    from skyflow.app.showing.logs import LogQuery
    from skyflow.model.run import RunRecord
    from skyflow.ports.reporter import Reporter

__all__ = ["logs"]

_BLOCK_LINES = 1000


def logs(
    run: RunArgument = "latest",
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="JOB",
            help="Only this job: its id, key or name; by default all.",
            autocompletion=complete_job,
        ),
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Only what was printed since: 10m, 2026-11-23T12:00.")
    ] = None,
    grep: Annotated[
        str | None, typer.Option("--grep", metavar="REGEX", help="Only lines that contain a match, with their numbers.")
    ] = None,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, metavar="N", help="Only the last N lines of each step.")
    ] = None,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Begin lines with their time.")] = False,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="As it is stored, byte for byte: no titles, and what a terminal obeys is left in."),
    ] = False,
    state: StateOption = None,
) -> None:
    """Print what the steps of a run printed, in the order of jobs and steps.

    Colours stay; whatever else a terminal would obey is left out, also in a file, which somebody may look at in one.
    """
    from skyflow.app.clock import SystemClock  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.logs import LogQuery, read_since  # noqa: PLC0415

    pattern = _pattern(grep)
    project = find_project(state=state)
    if raw:
        if follow or since is not None or grep is not None or tail is not None or timestamps:
            raise UsageError(
                "--raw prints all of it as it is", hint="leave --follow, --since, --grep, --tail and --timestamps out"
            )
        _copy(project, run, job)
        return
    if follow:
        if since is not None or tail is not None or timestamps:
            raise UsageError("--follow shows everything as it comes", hint="leave --since, --tail and --timestamps out")
        _follow(project, run, job, pattern)
        return
    query = LogQuery(
        job=job, since=read_since(since, SystemClock().now()) if since else None, pattern=pattern, tail=tail
    )
    _print(project, run, query, timestamps=timestamps)


def _print(project: "Project", run: str, query: "LogQuery", *, timestamps: bool) -> None:
    from skyflow._util.terminal import one_line  # noqa: PLC0415 -- start-up
    from skyflow.app.showing.history import read_run  # noqa: PLC0415
    from skyflow.app.showing.logs import step_logs  # noqa: PLC0415
    from skyflow.report.lines import OutputLines  # noqa: PLC0415
    from skyflow.report.words import signs_for  # noqa: PLC0415

    for found in step_logs(project, read_run(project, run), query):
        sys.stdout.write(f"{one_line(found.title)}\n")
        shown = OutputLines(signs_for(sys.stdout.encoding))
        if not timestamps and query.pattern is None:
            while block := "".join(f"{line.text}\n" for line in islice(found.lines, _BLOCK_LINES)):
                sys.stdout.write("".join(f"  {text}\n" if text else "\n" for text in shown.shown(block)))
            continue
        for line in found.lines:
            prefix = f"{line.at.astimezone():%H:%M:%S.%f}"[:-3] + " " if timestamps else ""
            prefix += f"{line.number}: " if query.pattern is not None else ""
            for text in shown.shown(f"{line.text}\n"):
                sys.stdout.write(f"  {prefix}{text}\n")


def _copy(project: "Project", run: str, job: str | None) -> None:
    from shutil import copyfileobj  # noqa: PLC0415 -- start-up

    from skyflow.app.showing.history import read_run  # noqa: PLC0415
    from skyflow.app.showing.logs import log_files  # noqa: PLC0415

    for log in log_files(project, read_run(project, run), job):
        with log.open("rb") as file:
            copyfileobj(file, sys.stdout.buffer)


def _pattern(grep: str | None) -> "re.Pattern[str] | None":
    try:
        return None if grep is None else re.compile(grep)
    except re.error as error:
        raise UsageError(f"--grep: '{grep}' is not a regular expression: {error}") from error


def _follow(project: "Project", run: str, job: str | None, pattern: "re.Pattern[str] | None") -> None:
    from skyflow.app.running.follow import follow_run  # noqa: PLC0415 -- start-up
    from skyflow.report.log_reporter import LogReporter  # noqa: PLC0415

    def wants(key: str, name: str) -> bool:
        return job is None or job.lower() in {key.lower(), key.rpartition(".")[0].lower(), name.lower()}

    @contextmanager
    def reporter(_: "RunRecord") -> "Iterator[Reporter]":
        yield LogReporter(sys.stdout, wants=wants, pattern=pattern)

    follow_run(run, project=project, reporter=reporter)
