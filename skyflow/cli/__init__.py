"""The command line: one module per command, each of which parses, calls `skyflow.app`, and shows the answer.

Nothing heavy is imported before a command needs it: `skyflow --help` costs little more than Typer itself.
"""

import gc
import signal
from typing import Annotated

import typer

from skyflow.cli._commands import CommandTable
from skyflow.cli._errors import exit_code_of
from skyflow.cli._zsh import answer_the_first_tab

__all__ = ["app", "main"]

answer_the_first_tab()

app = typer.Typer(
    name="skyflow",
    cls=CommandTable,
    help="Run GitHub-Actions-style workflows: planned across clouds, resumed after anything.",
    epilog="Exit codes: 0 success, 1 the run did not succeed, 2 usage, 3 invalid workflow, 4 no feasible plan, "
    "5 no machine, 6 state store, 70 a bug, 124 not ended in time, 130 interrupted (resumable).",
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 -- Typer's signature
    if wanted:
        from skyflow import __version__  # noqa: PLC0415 -- start-up

        typer.echo(f"skyflow {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def _hear_interrupts() -> None:
    """Let SIGINT end every command, also where it is ignored, as in a script's `skyflow watch &`: it was sent on purpose."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    """Run the command line and exit with the documented code."""
    # What a command imports and reads lives until it ends. The collector's usual threshold, 700 new objects, has it look
    # at all of that dozens of times for nothing, and Python has it look once more before it exits: together a fifth of
    # the time of a small run.
    gc.set_threshold(200_000, 20, 20)
    _hear_interrupts()
    code = exit_code_of(app)
    gc.freeze()
    raise SystemExit(code)
