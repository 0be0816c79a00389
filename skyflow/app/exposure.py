"""What other users of this machine may do with the state of a project."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from skyflow.model.layout import StateFolder

__all__ = ["exposures"]

_READ, _WRITE, _PASS = 4, 2, 1


def exposures(state: StateFolder) -> Iterator[tuple[str, str]]:
    """Yield how a store is open to others, and the cure; nothing where it is not, or is not there.

    skyflow makes its folders for its user alone, whatever the umask. One that was there before keeps the owner and the mode
    that it had.
    """
    folders = (state.root, state.runs, state.artifacts, state.results)
    for path in (*folders, state.database):
        if not _is_ours(path):
            yield (
                f"{path} belongs to another user, who could run commands as you",
                f"sudo chown -R {os.getuid()} {state.root}",
            )
    open_to = {folder: _others_may(folder) for folder in folders}
    for folder, may in open_to.items():
        if may & _WRITE:
            yield f"{folder} can be written by other users, who could run commands as you", f"chmod go-w {folder}"
    held = {state.runs: "the logs", state.artifacts: "the artifacts", state.results: "the results of jobs"}
    for folder, what in held.items():
        if open_to[state.root] & _PASS and open_to[folder] & _READ:
            yield f"{what} in {folder} can be read by other users", f"chmod go-rwx {folder}"
    if open_to[state.root] & _PASS and _others_may(state.database):
        yield f"{state.database} can be read by other users", f"chmod go-rwx {state.database}"


def _is_ours(path: Path) -> bool:
    """Tell whether something belongs to us, to root, who needs no door, or is not there."""
    try:
        return path.stat().st_uid in {0, os.getuid()}
    except OSError:
        return True


def _others_may(path: Path) -> int:
    """Return what the group or everybody may do; nothing with what is not there.

    In a folder with the sticky bit, such as /tmp, nobody can touch what is another's.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return 0
    may = (mode >> 3 | mode) & (_READ | _WRITE | _PASS)
    return may & ~_WRITE if mode & stat.S_ISVTX else may
