"""Where a project has its workflows, and which of them is meant."""

from collections.abc import Iterator
from pathlib import Path

from skyflow._util.text import sentence_list
from skyflow.app.project import CONFIG_NAME
from skyflow.errors import UsageError
from skyflow.spec.source import WORKFLOW_FOLDERS

__all__ = ["ACTION_FILES", "STANDARD_INPUT", "find_files", "only_workflow", "workflow_folders"]

STANDARD_INPUT = "-"
"""The name that stands for standard input."""
ACTION_FILES = frozenset({"action.yml", "action.yaml"})
_SUFFIXES = (".yml", ".yaml")
_NO_WORKFLOWS = ACTION_FILES | {CONFIG_NAME}
_MOST_NAMES = 5


def workflow_folders() -> tuple[str, ...]:
    """Return the folders of the current folder in which workflows are looked for.

    Raises:
        UsageError: there are none.
    """
    found = tuple(str(home) for home in WORKFLOW_FOLDERS if home.is_dir())
    if not found:
        raise UsageError(
            f"there is neither {WORKFLOW_FOLDERS[0]} nor {WORKFLOW_FOLDERS[1]} in this folder",
            hint="name a file; `skyflow init` makes one to start from",
        )
    return found


def only_workflow() -> str:
    """Return the workflow of the current folder, where it has a single one.

    Raises:
        UsageError: there is none, or one has to be chosen.
    """
    found = [file for folder in workflow_folders() for file in find_files(folder)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "there is no workflow in this folder", hint="name a file; `skyflow init` makes one to start from"
        )
    more = [f"{len(found) - _MOST_NAMES} more"] if len(found) > _MOST_NAMES else []
    raise UsageError(
        f"there are {len(found)} workflows", hint=f"name one of {sentence_list([*found[:_MOST_NAMES], *more])}"
    )


def find_files(name: str) -> Iterator[str]:
    """Yield the files that a name stands for: itself, or, for a folder, the workflows below it.

    Of a repository these are the files in `.github/workflows` and `workflows`; of any other folder all YAML files, but
    for those that describe actions, or a project. There may be none.
    """
    folder = Path(name)
    if name == STANDARD_INPUT or "\0" in name or not folder.is_dir():
        yield name
        return
    homes = [folder / home for home in WORKFLOW_FOLDERS if (folder / home).is_dir()] or [folder]
    found = sorted(
        path
        for home in homes
        for path in home.rglob("*")
        if path.suffix in _SUFFIXES and path.name not in _NO_WORKFLOWS and path.is_file()
    )
    yield from map(str, found)
