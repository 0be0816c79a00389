"""The command line, as its own `--help` describes it."""

from markdown_text import fence, page
from typer.core import TyperGroup
from typer.testing import CliRunner

from skyflow.cli import app
from skyflow.cli._commands import COMMANDS, load

__all__ = ["command_names", "help_text", "render"]

_WIDTH = "80"


def command_names() -> list[str]:
    """Return the names of all commands, in the order of the help."""
    found = []
    for name in (name for section in COMMANDS.values() for name in section):
        command = load(name)
        found += [f"{name} {inner}" for inner in command.commands] if isinstance(command, TyperGroup) else [name]
    return found


def render() -> str:
    """Return the page."""
    parts = [
        (
            "Every command answers `--help`; this page repeats what it says, and so does `man skyflow`, which finds the page of "
            "the environment whose `bin` is in PATH. What a command prints for people goes to "
            "standard output, what went wrong to standard error. [Exit codes](exit-codes.md) has the numbers."
        ),
        "## skyflow",
        fence(help_text()),
    ]
    for name in command_names():
        parts += [f"## skyflow {name}", fence(help_text(*name.split()))]
    return page("Command line", source="the commands in `skyflow/cli`", parts=parts)


def help_text(*command: str) -> str:
    """Return what a command answers to `--help`, on a terminal of 80 columns."""
    result = CliRunner().invoke(app, [*command, "--help"], prog_name="skyflow", env={"COLUMNS": _WIDTH})
    if result.exit_code != 0:
        raise RuntimeError(f"`skyflow {' '.join(command)} --help` ended with {result.exit_code}: {result.output}")
    return result.output
