"""Options that several commands share, declared once."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from skyflow._util.text import did_you_mean, sentence_list
from skyflow.cli._completion import complete_run, complete_workflow
from skyflow.errors import UsageError
from skyflow.model.objective import Objective, objective_meant

__all__ = [
    "CloudOption",
    "DetachOption",
    "EventNameOption",
    "EventOption",
    "Format",
    "FormatOption",
    "InputOption",
    "JobsOption",
    "JsonOption",
    "ObjectiveOption",
    "OnOption",
    "QuietOption",
    "RunArgument",
    "SecretFileOption",
    "SecretOption",
    "StateOption",
    "VarFileOption",
    "VarOption",
    "VerboseOption",
    "WorkflowArgument",
]


class Format(StrEnum):
    """How a run is shown while it goes on."""

    TEXT = "text"
    """For people: a live board on a terminal, lines elsewhere."""
    JSON = "json"
    """One JSON object per line."""
    GITHUB = "github"
    """For the log of a step in GitHub Actions: groups that fold, annotations."""

    @classmethod
    def chosen(cls, named: "Format | None", *, as_json: bool) -> "Format":
        """Return the format to use: what was asked for, else what suits where skyflow runs.

        Raises:
            UsageError: two were asked for.
        """
        if as_json and named not in {None, cls.JSON}:
            raise UsageError(f"--json and --format {named} contradict each other", hint="leave one of them away")
        if as_json or named is not None:
            return named or cls.JSON
        return cls.GITHUB if in_github_actions() else cls.TEXT


def in_github_actions() -> bool:
    """Tell whether skyflow itself runs in a step of GitHub Actions, or of another skyflow."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How to show the run.  [default: github inside of GitHub Actions, else text]"),
]
WorkflowArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="The workflow file.  [default: the only one in .github/workflows and workflows]",
        autocompletion=complete_workflow,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run: its number, its id, or `latest`.", autocompletion=complete_run),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state", metavar="FILE", help="The state database.  [default: $SKYFLOW_STATE, else .skyflow/state.db]"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, metavar="N", help="How many jobs run at once.  [default: one per CPU]"),
]


def _objective(text: str) -> Objective:
    """Read the name of an objective; `time` is another word for the makespan, as in bare problems."""
    named = {"cost": Objective.COST, "makespan": Objective.MAKESPAN, "time": Objective.MAKESPAN}
    named["carbon"] = Objective.CARBON
    if text not in named:
        meant = objective_meant(text)
        known = f"it is one of {sentence_list(sorted(set(named.values())), conjunction='or')}"
        hint = did_you_mean(text, named) or (f"did you mean '{meant}'?" if meant else known)
        raise UsageError(f"there is no objective '{text}'", hint=hint)
    return named[text]


ObjectiveOption = Annotated[
    Objective | None,
    typer.Option(
        "--objective",
        parser=_objective,
        metavar="cost|makespan|carbon",
        help="What to make small.  [default: the workflow's plan.objective, else cost]",
    ),
]
OnOption = Annotated[
    list[str] | None,
    typer.Option("--on", metavar="PROVIDER", help="Use only local, own, aws, gcp or azure; may be repeated."),
]
CloudOption = Annotated[
    list[str] | None, typer.Option("--on", metavar="CLOUD", help="Ask only aws, gcp or azure; may be repeated.")
]
DetachOption = Annotated[
    bool, typer.Option("--detach", "-d", help="Begin the run and return; `skyflow attach` shows it.")
]
InputOption = Annotated[
    list[str] | None,
    typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input of the workflow; may be repeated."),
]
SecretOption = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME[=VALUE]",
        help="A secret; without a value that of the environment variable NAME, or asked for.",
    ),
]
SecretFileOption = Annotated[
    list[Path] | None, typer.Option("--secret-file", metavar="FILE", help="A .env file of secrets; may be repeated.")
]
VarOption = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="A variable of the `vars` context; may be repeated."),
]
VarFileOption = Annotated[
    list[Path] | None, typer.Option("--var-file", metavar="FILE", help="A .env file of variables; may be repeated.")
]
EventOption = Annotated[
    str | None,
    typer.Option("--event", metavar="FILE", help="A JSON file to be `github.event`; - for standard input."),
]
EventNameOption = Annotated[
    str | None,
    typer.Option("--event-name", metavar="NAME", help="What started the workflow.  [default: workflow_dispatch]"),
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Tell only of what fails, until the end.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show all output, on a terminal too.")]
