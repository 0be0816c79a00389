"""The commands, listed without importing them: a command's module is imported when the command is called.

A command line that has many commands would otherwise take as long to start as all of them together.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from skyflow.cli._examples import epilog_of

if TYPE_CHECKING:
    from typer._click import Command, Context, HelpFormatter  # Typer gives its own copy of Click no public name

__all__ = ["COMMANDS", "CommandTable", "Entry", "InnerTable", "load"]


class Entry(NamedTuple):
    """One line of the help: what a command does, and where it is."""

    does: str
    module: str = ""
    """Within `skyflow.cli`, where it is not the name of the command."""


COMMANDS: dict[str, dict[str, Entry]] = {
    "Run workflows": {
        "run": Entry("Plan and run a workflow."),
        "resume": Entry("Continue a run that was interrupted or killed."),
        "retry": Entry("Run jobs of a run again, as a new run."),
        "cancel": Entry("Cancel a run, and wait until it has ended."),
        "attach": Entry("Show a run that goes on elsewhere until it ends."),
        "wait": Entry("Wait until a run ends, and exit with its code."),
        "watch": Entry("Run a workflow again whenever a file changes."),
        "replan": Entry("Plan the rest of a run anew, without running it."),
    },
    "Before a run": {
        "init": Entry("Write a small workflow to start from."),
        "validate": Entry("Check workflow files."),
        "plan": Entry("Show where, when and for how much jobs would run."),
        "graph": Entry("Draw what waits for what."),
        "simulate": Entry("Run a workflow many times in a simulated world."),
        "expr": Entry("Evaluate an expression of the workflow language."),
        "schema": Entry("Print the JSON Schema of workflow files and others."),
    },
    "Look at runs": {
        "runs": Entry("List the runs of this project."),
        "show": Entry("Show how the jobs and steps of a run ended, and why."),
        "logs": Entry("Print what the steps of a run printed."),
        "timeline": Entry("Show what happened in a run on one clock."),
        "why": Entry("Tell why a job was run rather than taken over."),
        "report": Entry("Write a run as one HTML page."),
        "artifacts": Entry("List, fetch and remove what runs have stored."),
        "ui": Entry("Show runs in a browser, live."),
        "top": Entry("Show runs on the whole screen of a terminal."),
    },
    "Machines": {
        "catalog": Entry("Look at what there is to rent."),
        "config": Entry("Check the project's skyflow.yml."),
        "cloud": Entry("Check cloud accounts and prepare them."),
        "instances": Entry("List the machines that skyflow has made."),
        "ssh": Entry("Open a shell on the machine of a job."),
        "keep": Entry("Let machines that stayed after a run stay longer."),
        "down": Entry("Give back machines that stayed after a run."),
        "cost": Entry("Show what rented machines have cost and emitted."),
        "gc": Entry("Remove from clouds what nobody needs any more.", module="sweep"),
    },
    "Upkeep": {
        "doctor": Entry("Look for what a run would stumble over."),
        "prune": Entry("Forget old runs, with their logs and artifacts."),
        "db": Entry("Check, back up and compact the state database."),
    },
}  # fmt: skip
"""The commands by what they are for, in the order of the help."""


def load(name: str) -> "Command":
    """Import a command, or a group of commands, and return it."""
    entry = next(section[name] for section in COMMANDS.values() if name in section)
    found = getattr(import_module(f"skyflow.cli.{entry.module or name}"), name)
    holder = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, cls=InnerTable)
        group: TyperGroup = typer.main.get_group(holder).commands[name]  # type: ignore[assignment]
        for inner, command in group.commands.items():
            command.epilog = epilog_of(f"{name} {inner}")
        return group
    holder.command(name, epilog=epilog_of(name))(found)
    return typer.main.get_command(holder)


class InnerTable(TyperGroup):
    """A group such as `skyflow catalog`, which lists what its commands do as a whole: Typer would cut it to one line."""

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:  # noqa: ARG002 -- Typer's signature
        """List the commands, each with the first paragraph of its help."""
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, (command.help or "").partition("\n\n")[0]) for name, command in self.commands.items()]
            )


class CommandTable(TyperGroup):
    """A group that knows its commands by name, and what each does; the one that is called is imported then."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for section in COMMANDS.values():
            for name, entry in section.items():
                self.add_command(TyperCommand(name, short_help=entry.does))

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, Command | None, list[str]]":
        """Find the command that is called, and import it."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else found, rest

    def invoke(self, ctx: "Context") -> object:
        """Run the command; one that is interrupted says so, for Typer would end without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from skyflow.cli._console import err  # noqa: PLC0415 -- start-up
            from skyflow.errors import EXIT_INTERRUPTED  # noqa: PLC0415

            err("interrupted")
            raise SystemExit(EXIT_INTERRUPTED) from None

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:  # noqa: ARG002 -- Typer's signature
        """List the commands by what they are for."""
        for title, section in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.does) for name, entry in section.items()])
