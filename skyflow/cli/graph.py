"""`skyflow graph`."""

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._completion import complete_file_or_run
from skyflow.cli._options import JobsOption, ObjectiveOption, OnOption, StateOption
from skyflow.model.fold import Fold

if TYPE_CHECKING:
    from skyflow.model.graph import Graph

__all__ = ["Format", "graph"]

_WIDTH_OF_FILES = 120
"""Off a terminal the width is always the same, so that what is drawn can be compared."""


class Format(StrEnum):
    """What language a graph is drawn in."""

    TEXT = "text"
    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"


def graph(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|RUN",
            help="A workflow file, or a run: its number, its id, or `latest`.",
            autocompletion=complete_file_or_run,
        ),
    ] = "latest",
    *,
    form: Annotated[
        Format, typer.Option("--format", help="text for a terminal, svg for a picture, mermaid or dot for other tools.")
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file.  [default: standard output]")
    ] = None,
    planned: Annotated[
        bool, typer.Option("--plan", help="Plan the workflow, and show where each job runs, for how long and how much.")
    ] = False,
    fold: Annotated[
        Fold, typer.Option("--fold", help="What shares a box: jobs of a matrix (auto), of a called workflow too (all).")
    ] = Fold.AUTO,
    objective: ObjectiveOption = None,
    on: OnOption = None,
    jobs: JobsOption = None,
    state: StateOption = None,
) -> None:
    """Draw what waits for what: the jobs of a workflow, or of a run with how each stands."""
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up

    if not planned and (objective or on or jobs):
        raise UsageError("--objective, --on and --jobs change a plan", hint="add --plan to draw one")
    if Path(what).is_file() or what.endswith((".yml", ".yaml")):
        drawn = _of_file(what, planned=planned, fold=fold, objective=objective, on=on, jobs=jobs)
    elif planned and (objective or on or jobs):
        raise UsageError(
            "a run keeps the plan that it was started with", hint="leave --objective, --on and --jobs away"
        )
    else:
        drawn = _of_run(what, fold=fold, state=state)
    with_places = planned or _is_elsewhere(drawn)
    if form is Format.TEXT:
        _write_text(drawn, output, with_places=with_places)
        return
    text = _in_language(drawn, form, with_places=with_places)
    if output is None:
        sys.stdout.write(text)
    else:
        _save(output, text)


def _of_file(
    name: str, *, planned: bool, fold: Fold, objective: ObjectiveOption, on: OnOption, jobs: JobsOption
) -> "Graph":
    from skyflow.app.action_folders import action_folders  # noqa: PLC0415 -- start-up
    from skyflow.app.planning.callees import callees_in  # noqa: PLC0415
    from skyflow.app.planning.plan import plan_workflow  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.graph import graph_of_workflow  # noqa: PLC0415
    from skyflow.cli._findings import print_warnings  # noqa: PLC0415
    from skyflow.spec import load_workflow  # noqa: PLC0415

    root = find_project().root
    loaded = load_workflow(name, folder_of=action_folders(root))
    print_warnings(loaded.findings)
    callees = callees_in(loaded.workflow, root)
    plan = None
    if planned:
        plan = plan_workflow(loaded.workflow, callees=callees, objective=objective, providers=on, slots=jobs)
    return graph_of_workflow(loaded.workflow, callees, plan=plan, fold=fold)


def _of_run(name: str, *, fold: Fold, state: Path | None) -> "Graph":
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.app.showing.graph import expected_of_run, graph_of_run  # noqa: PLC0415 -- start-up
    from skyflow.app.showing.history import read_run  # noqa: PLC0415

    history = read_run(find_project(state=state), name)
    return graph_of_run(history, expected_of_run(history), fold=fold)


def _is_elsewhere(drawn: "Graph") -> bool:
    """Tell whether some job was placed on another machine than this one."""
    from skyflow.model.resources import LOCAL  # noqa: PLC0415 -- start-up

    placements = (job.placement for node in drawn.nodes for job in node.jobs)
    return any(placement is not None and placement.offering.provider != LOCAL for placement in placements)


def _in_language(drawn: "Graph", form: Format, *, with_places: bool) -> str:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up
    from skyflow.report.graph_languages import to_dot, to_mermaid  # noqa: PLC0415
    from skyflow.report.graph_svg import to_svg  # noqa: PLC0415
    from skyflow.report.layout import TooLargeError  # noqa: PLC0415

    if form is Format.MERMAID:
        return to_mermaid(drawn, with_places=with_places)
    if form is Format.DOT:
        return to_dot(drawn, with_places=with_places)
    try:
        return to_svg(drawn, with_places=with_places)
    except TooLargeError as error:
        raise UsageError(
            f"the graph is too large to be drawn: {error}", hint="try --fold all, or --format dot"
        ) from error


def _write_text(drawn: "Graph", output: Path | None, *, with_places: bool) -> None:
    from skyflow.cli._console import draw  # noqa: PLC0415 -- rich
    from skyflow.report.graph_text import render_graph  # noqa: PLC0415
    from skyflow.report.words import Signs, signs_for  # noqa: PLC0415

    if output is not None:
        lines = render_graph(drawn, width=_WIDTH_OF_FILES, signs=Signs(), with_places=with_places)
        _save(output, "".join(f"{line.plain}\n" for line in lines))
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH_OF_FILES
    draw(render_graph(drawn, width=width, signs=signs_for(sys.stdout.encoding), with_places=with_places))


def _save(path: Path, text: str) -> None:
    from skyflow.errors import UsageError  # noqa: PLC0415 -- start-up

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
