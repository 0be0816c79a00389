"""Which reporter fits: a live board for a person, prefixed lines for a file, JSON lines for a program, groups for GitHub."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

from skyflow.app.clock import SystemClock
from skyflow.app.running.drive import ReporterFactory
from skyflow.cli._console import console, is_terminal
from skyflow.cli._options import Format
from skyflow.model.placement import Plan
from skyflow.model.run import JobRecord, RunRecord
from skyflow.model.status import Status
from skyflow.ports.reporter import Reporter
from skyflow.report.words import signs_for

if TYPE_CHECKING:
    from skyflow.app.project import Project
    from skyflow.report.forecast import Forecast

__all__ = ["choose_reporter"]


def choose_reporter(*, shown: Format, quiet: bool, verbose: bool, project: "Project | None" = None) -> ReporterFactory:
    """Return what makes the reporter of a run; `project` has what came before, None where all of it will be told."""

    @contextmanager
    def reporter(run: RunRecord) -> Iterator[Reporter]:
        if shown is Format.JSON:
            from skyflow.report.json_lines import JsonReporter  # noqa: PLC0415 -- one of four

            yield JsonReporter(sys.stdout, run.id)
        elif shown is Format.GITHUB:
            from skyflow.report.github import GithubReporter  # noqa: PLC0415 -- one of four

            yield GithubReporter(sys.stdout, token=token_hex(16), quiet=quiet)
        elif is_terminal(sys.stdout) and not (quiet or verbose):
            from skyflow.report.board import BoardReporter  # noqa: PLC0415 -- brings rich along

            with BoardReporter(
                console(),
                now=SystemClock().now,
                signs=signs_for(sys.stdout.encoding),
                run_number=run.number,
                forecast=_forecast(run),
                earlier=() if project is None else _earlier(run, project),
            ) as board:
                yield board
        else:
            from skyflow.report.plain import PlainReporter  # noqa: PLC0415 -- one of four

            yield PlainReporter(sys.stdout, quiet=quiet)

    return reporter


def _earlier(run: RunRecord, project: "Project") -> Sequence[JobRecord]:
    """Return the jobs of a run that goes on, as they were left."""
    if run.status is Status.QUEUED:
        return ()
    from skyflow.app.showing.history import stored_jobs  # noqa: PLC0415 -- start-up

    return stored_jobs(project, run.id)


def _forecast(run: RunRecord) -> "Forecast | None":
    """Return what can tell when a run will end; None for one that nobody has planned."""
    from skyflow.report.forecast import Forecast  # noqa: PLC0415 -- as its only user

    if not isinstance(run.plan, dict):
        return None
    return Forecast(Plan.from_json(run.plan), slots=run.slots)
