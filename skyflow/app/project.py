"""Which folder a command works on, and where its state is."""

import os
from dataclasses import dataclass
from pathlib import Path

from skyflow.errors import UsageError
from skyflow.model.layout import StateFolder

__all__ = ["CONFIG_NAME", "STATE_VARIABLE", "Project", "find_project"]

STATE_VARIABLE = "SKYFLOW_STATE"
CONFIG_NAME = "skyflow.yml"
"""The file in which a project says what it has and what it pays."""

_MARKERS = (".skyflow", CONFIG_NAME, ".git")


@dataclass(frozen=True, slots=True)
class Project:
    """The folder that steps run in, and the state store that remembers its runs."""

    root: Path
    state: StateFolder

    def name_of(self, path: str) -> str:
        """Return what the store calls a file, however it was named: its path from the root, or its whole path outside of it."""
        whole = Path(path).parent.resolve() / Path(path).name
        return (whole.relative_to(self.root) if whole.is_relative_to(self.root) else whole).as_posix()

    def path_of(self, name: str) -> str:
        """Return the path of a file that the store knows by a name, from the current folder."""
        return name if Path(name).is_absolute() else os.path.relpath(self.root / name)


def find_project(*, state: Path | None = None, start: Path | None = None) -> Project:
    """Find the project of a folder: the nearest one above that holds `.skyflow`, `skyflow.yml` or `.git`, else itself.

    Args:
        state: the database file to use; by default `SKYFLOW_STATE`, then `.skyflow/state.db` in the project.
        start: where to look from; by default the current folder.

    Raises:
        UsageError: the database is named by a path that is a folder.
    """
    here = (start or Path.cwd()).resolve()
    candidates = (folder for folder in (here, *here.parents) if any((folder / name).exists() for name in _MARKERS))
    root = next(candidates, here)
    named = state or (Path(os.environ[STATE_VARIABLE]) if os.environ.get(STATE_VARIABLE) else None)
    database = (named or root / ".skyflow" / "state.db").absolute()
    if database.is_dir():
        raise UsageError(f"{database} is a folder", hint="name the database file, for example .skyflow/state.db")
    return Project(root=root, state=StateFolder(database))
