"""A run that goes on when the command has returned."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from skyflow.app.project import Project
from skyflow.app.running.drive import ReporterFactory
from skyflow.cli._console import out
from skyflow.model.run import RunRecord
from skyflow.ports.reporter import Reporter
from skyflow.report.silent import SilentReporter

__all__ = ["become_detached"]

_BEGUN = "\0"
"""Comes before the number of the run on the pipe to the parent; anything else there is what went wrong."""


def become_detached(project: Project) -> ReporterFactory:
    """Go on in a process of its own, without a terminal; the calling process says which run began, and exits.

    Everything that was asked for and read so far, secrets included, is in the memory of the new process; nothing of it is
    written anywhere. What it has to say later goes to `driver.log` in the folder of the run.

    Raises:
        typer.Exit: in the calling process, always.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(write_end)
        _report(child, read_end)
    os.close(read_end)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, sys.stdin.fileno())
    os.dup2(nothing, sys.stdout.fileno())
    os.dup2(write_end, sys.stderr.fileno())
    os.close(nothing)
    os.close(write_end)

    @contextmanager
    def reporter(run: RunRecord) -> Iterator[Reporter]:
        os.write(sys.stderr.fileno(), f"{_BEGUN}{run.number}".encode())
        log = os.open(project.state.run(run.id).driver_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())  # closes the pipe: the parent exits
        os.close(log)
        yield SilentReporter()

    return reporter


def _report(child: int, pipe: int) -> NoReturn:
    """Say what became of the new process: the run it drives, or why there is none."""
    with os.fdopen(pipe, encoding="utf-8", errors="replace") as reader:
        problems, begun, number = reader.read().partition(_BEGUN)
    sys.stderr.write(problems)
    if begun:
        out(
            f"Run {number} goes on in the background: `skyflow attach {number}` shows it, `skyflow cancel {number}` ends it"
        )
        raise typer.Exit(0)
    _, status = os.waitpid(child, 0)
    raise typer.Exit(os.waitstatus_to_exitcode(status) or 1)
