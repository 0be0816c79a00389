"""What a shell offers after Tab: runs and jobs of the project, workflow files of the folder.

A shell waits for the answer, and what goes wrong here must not reach the command line that somebody is writing: then there
is nothing to offer.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from skyflow.app.project import Project

__all__ = ["Offer", "complete_file_or_run", "complete_job", "complete_job_of_file", "complete_run", "complete_workflow"]

Offer = tuple[str, str]
"""What can be written, and what it is."""

_MOST_RUNS = 50
_WORKFLOW_FOLDERS = ("", "workflows", ".github/workflows")


def complete_run(context: typer.Context, incomplete: str) -> list[Offer]:
    """Return the newest runs: by number, or by id once something is written that no number begins with."""
    return _quietly(lambda: list(_runs(_project(context), incomplete)))


def complete_job(context: typer.Context, incomplete: str) -> list[Offer]:
    """Return the jobs of the run that was named before."""

    def run() -> str:
        given = context.params.get("run")
        return str(given) if given not in {None, "latest"} else _written_before() or "latest"

    return _quietly(lambda: list(_jobs(_project(context), run(), incomplete)))


def complete_job_of_file(context: typer.Context, incomplete: str) -> list[Offer]:
    """Return the jobs of the workflow file that was named before."""
    return _quietly(lambda: list(_jobs_of_file(str(context.params.get("workflow") or _written_before()), incomplete)))


def complete_workflow(incomplete: str) -> list[Offer]:
    """Return the workflow files there are: here, in the usual folders, or in the folder that is being written."""
    return _quietly(lambda: list(_files(incomplete)))


def complete_file_or_run(context: typer.Context, incomplete: str) -> list[Offer]:
    """Return workflow files and runs."""
    return [*complete_workflow(incomplete), *complete_run(context, incomplete)]


def _written_before() -> str:
    """Return the argument after the command, where there is one: behind an option that lacks its value, Typer knows none."""
    words = (os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or "").split()
    return words[2] if len(words) > 3 and not words[2].startswith("-") else ""  # noqa: PLR2004 -- skyflow retry 1 ...


def _quietly(offers: Callable[[], list[Offer]]) -> list[Offer]:
    try:
        return offers()
    except Exception:  # noqa: BLE001 -- see above
        return []


def _project(context: typer.Context) -> "Project":
    from skyflow.app.project import find_project  # noqa: PLC0415 -- start-up

    return find_project(state=cast("Path | None", context.params.get("state")))


def _runs(project: "Project", incomplete: str) -> Iterator[Offer]:
    from skyflow.app.showing.history import list_runs  # noqa: PLC0415 -- start-up

    for overview in list_runs(project, limit=_MOST_RUNS):
        run = overview.run
        number = str(run.number)
        what = f"{run.title}, {overview.state.replace('_', ' ')}"
        if number.startswith(incomplete):
            yield number, what
        elif run.id.startswith(incomplete):
            yield run.id, what


def _jobs(project: "Project", run: str, incomplete: str) -> Iterator[Offer]:
    from skyflow.store.store import open_store  # noqa: PLC0415 -- start-up

    with open_store(project.state, create=False) as store:
        for job in store.jobs(store.find_run(run).id):
            if job.key.startswith(incomplete):
                yield job.key, job.name if job.name != job.key else (job.conclusion or job.status).value


def _jobs_of_file(name: str, incomplete: str) -> Iterator[Offer]:
    from skyflow.spec import load_workflow  # noqa: PLC0415 -- start-up

    for job in load_workflow(name).workflow.jobs:
        if job.id.startswith(incomplete):
            yield job.id, f"a job of {name}"


def _files(incomplete: str) -> Iterator[Offer]:
    written = os.path.dirname(incomplete)  # noqa: PTH120 -- a path would lose the `./` that was written
    for folder in dict.fromkeys((written, *(() if written else _WORKFLOW_FOLDERS))):
        for path in sorted(Path(folder).iterdir()) if Path(folder).is_dir() else ():
            name = os.path.join(folder, path.name)  # noqa: PTH118 -- see above
            is_workflow = path.suffix in {".yml", ".yaml"} and path.is_file()
            if (is_workflow or (path.is_dir() and not path.name.startswith("."))) and name.startswith(incomplete):
                yield name if is_workflow else f"{name}/", "workflow" if is_workflow else "folder"
