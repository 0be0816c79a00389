"""Which reporter fits: a live board for a person, prefixed lines for a file, JSON lines for a program, groups for GitHub."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

from skyflow.app.clock import SystemClock
from skyflow.app.drive import ReporterFactory
from skyflow.cli._console import console, is_terminal
from skyflow.cli._options import Format
from skyflow.model.run import RunRecord
from skyflow.ports.reporter import Reporter
from skyflow.report.words import signs_for

__all__ = ["choose_reporter"]


def choose_reporter(*, total_jobs: int, shown: Format, quiet: bool, verbose: bool) -> ReporterFactory:
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
                console(), now=SystemClock().now, total_jobs=total_jobs, signs=signs_for(sys.stdout.encoding)
            ) as board:
                yield board
        else:
            from skyflow.report.plain import PlainReporter  # noqa: PLC0415 -- one of four

            yield PlainReporter(sys.stdout, quiet=quiet)

    return reporter
