"""Files that a workflow refers to, `./...`: found below the workspace, and nowhere else."""

from collections.abc import Callable
from pathlib import Path

from skyflow.errors import UsageError
from skyflow.spec.source import read_bytes

__all__ = ["ACTION_FILES", "FolderOf", "ReadFile", "is_action_folder", "nowhere", "reader_for", "workspace_of"]

ReadFile = Callable[[str], bytes | None]
"""Returns the content of a file, by its path relative to the workspace; None where there is no such file."""

FolderOf = Callable[[str], str | None]
"""Returns the folder that stands for an action of another repository, by its `uses`; None where none does."""

ACTION_FILES = ("action.yml", "action.yaml")
"""What the description of an action is called."""

_MARKERS = (".git", ".skyflow", "skyflow.yml")


def is_action_folder(folder: str) -> bool:
    """Tell whether there is an action in a folder."""
    return any((Path(folder) / name).is_file() for name in ACTION_FILES)


def nowhere(_: str) -> None:
    """Know no folder of any action: a `FolderOf`."""


def workspace_of(path: str) -> Path:
    """Return the workspace of a workflow file: the nearest folder above it that is a project, else where it stands."""
    folder = Path(path).resolve().parent
    if folder.name == "workflows" and folder.parent.name == ".github":
        return folder.parent.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in _MARKERS):
            return candidate
    return folder.parent if folder.name == "workflows" else folder


def reader_for(root: Path) -> ReadFile:
    """Return what reads files below `root`; a path that leads out of it is as good as missing."""
    resolved = root.resolve()

    def read(path: str) -> bytes | None:
        try:
            target = (resolved / path).resolve()
            if not target.is_relative_to(resolved) or not target.is_file():
                return None
            return read_bytes(str(target))
        except (OSError, ValueError, UsageError):  # ValueError: a NUL in the path
            return None

    return read
