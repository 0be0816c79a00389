"""Which reporter fits: a live board for a person, prefixed lines for a file, JSON lines for a program, groups for GitHub."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

from skyflow.app.clock import SystemClock
from skyflow.app.running.drive import ReporterFactory
from skyflow.cli._console import console, is_terminal
from skyflow.cli._options import Format
from skyflow.model.placement import Plan
from skyflow.model.run import RunRecord
from skyflow.model.status import Status
from skyflow.ports.reporter import Reporter
from skyflow.report.words import signs_for

if TYPE_CHECKING:
    from skyflow.report.forecast import Forecast

__all__ = ["choose_reporter"]


def choose_reporter(*, shown: Format, quiet: bool, verbose: bool) -> ReporterFactory:
    """Return what makes the reporter of a run."""

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
            ) as board:
                yield board
        else:
            from skyflow.report.plain import PlainReporter  # noqa: PLC0415 -- one of four

            yield PlainReporter(sys.stdout, quiet=quiet)

    return reporter


def _forecast(run: RunRecord) -> "Forecast | None":
    """Return what can tell when a run will end; None for one that is resumed, of which a part was done before."""
    from skyflow.report.forecast import Forecast  # noqa: PLC0415 -- as its only user

    if run.status is not Status.QUEUED or not isinstance(run.plan, dict):
        return None
    return Forecast(Plan.from_json(run.plan), slots=run.slots)
