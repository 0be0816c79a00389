"""hashFiles: one SHA-256 of all files of the workspace that match patterns."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread

from skyflow._util.glob import make_glob
from skyflow._util.glob_pattern import PatternError
from skyflow.ports.runner import HashFilesError

__all__ = ["LIMIT_SECONDS", "hash_files", "hash_matches", "read_arguments"]

LIMIT_SECONDS = 120.0
"""GitHub gives up after this time."""

_FOLLOW_LINKS = "--follow-symbolic-links"
_CHUNK_BYTES = 1024 * 1024


async def hash_files(workspace: Path, arguments: tuple[str, ...], *, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Return what `hashFiles(arguments)` gives in a workspace, without holding up anything else meanwhile.

    Raises:
        HashFilesError: an argument is not valid, a file cannot be read, or it takes too long.
    """
    work = partial(hash_matches, workspace, arguments, go_on=anyio.from_thread.check_cancelled)
    try:
        with anyio.fail_after(limit_seconds):
            return await anyio.to_thread.run_sync(work)
    except TimeoutError:
        raise HashFilesError(f"{_call(arguments)} did not finish within {limit_seconds:g} seconds") from None


def hash_matches(workspace: Path, arguments: tuple[str, ...], *, go_on: Callable[[], None]) -> str:
    """Hash each file that matches, then the digests one after the other; nothing if no file matches.

    Args:
        workspace: where relative patterns begin; files outside are left out.
        arguments: patterns, before them optionally `--follow-symbolic-links`.
        go_on: called now and then; raises if it is time to give up.

    Raises:
        HashFilesError: an argument is not valid, or a file cannot be read.
    """
    patterns, follow_links = read_arguments(arguments)
    whole = hashlib.sha256()
    count = 0
    try:
        glob = make_glob("\n".join(patterns), workspace=workspace, follow_links=follow_links)
        for path, _ in glob.walk():
            if workspace in path.parents and not path.is_dir():
                whole.update(_digest(path, go_on))
                count += 1
    except PatternError as error:
        raise HashFilesError(f"{_call(arguments)}: {error}") from error
    except OSError as error:
        raise HashFilesError(f"{_call(arguments)}: cannot read '{error.filename}': {error.strerror}") from error
    return whole.hexdigest() if count else ""


def read_arguments(arguments: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the patterns, and whether links are to be followed.

    Raises:
        HashFilesError: another option is given.
    """
    follow_links = bool(arguments) and arguments[0].lower() == _FOLLOW_LINKS
    if arguments and arguments[0].startswith("--") and not follow_links:
        raise HashFilesError(f"hashFiles: '{arguments[0]}' is not an option; the only one is '{_FOLLOW_LINKS}'")
    return arguments[follow_links:], follow_links


def _digest(path: Path, go_on: Callable[[], None]) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            go_on()
            digest.update(chunk)
    return digest.digest()


def _call(arguments: tuple[str, ...]) -> str:
    return f"hashFiles({', '.join(repr(argument) for argument in arguments)})"
