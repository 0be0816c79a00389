"""One process drives a run: a file lock that the system gives back by itself when the process dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skyflow.errors import StoreLockedError
from skyflow.model.layout import RunFolder

__all__ = ["file_lock", "has_living_steps", "hold_lease", "is_leased", "lease_holder"]

_TRIES, _PAUSE_SECONDS = 10, 0.02


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a file locked, waiting for whoever holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def hold_lease(folder: RunFolder, *, called: str = "") -> Iterator[None]:
    """Be the one process that drives a run; `called` is what its user calls it, by default its id.

    Raises:
        StoreLockedError: another living process drives it.
    """
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _taken(descriptor):
            name = called or folder.root.name
            raise StoreLockedError(
                f"run {name} is being driven by another skyflow (process {_process_in(descriptor) or 'unknown'})",
                hint=f"`skyflow attach {name}` shows it, `skyflow cancel {name}` ends it",
            )
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    """Lock a file unless another process keeps it locked: whoever only asks has it for an instant."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)  # noqa: TID251 -- for another process, which no clock of ours makes quicker
        else:
            return True
    return False


def lease_holder(folder: RunFolder) -> int | None:
    """Return the id of the living process that drives a run, or None."""
    if not is_leased(folder):
        return None
    with folder.lock.open("rb") as file:
        return _process_in(file.fileno())


def _process_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None


def is_leased(folder: RunFolder) -> bool:
    """Tell whether a living process drives a run."""
    return _is_locked(folder.lock)


def has_living_steps(folder: RunFolder) -> bool:
    """Tell whether a keeper looks after steps of a run, which may have outlived their driver; it locks its journal.

    Two who ask in the same moment may both be told so; whoever waits asks again.
    """
    return _is_locked(folder.journal, fcntl.LOCK_EX)


def _is_locked(path: Path, kind: int = fcntl.LOCK_SH) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
