"""What of a project goes to another machine: what Git knows or would ask about, without what `.skyflowignore` names."""

import hashlib
import json
import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from skyflow.model.layout import KEYS_FOLDER

__all__ = ["IGNORE_FILE", "FileContent", "FileList", "ProjectFiles", "ProjectFilesError"]

IGNORE_FILE = ".skyflowignore"
"""Patterns in the form of `.gitignore`, for tracked files too."""
_NEVER = frozenset({".skyflow", ".git", KEYS_FOLDER})
_GIT_SECONDS = 60.0
_CHUNK_BYTES = 1024 * 1024


class ProjectFilesError(Exception):
    """The files of a project cannot be listed or read; the message is for the user."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A content as it was when it was listed: the first `size` bytes of a file, which may have grown since."""

    path: Path
    size: int

    def digest(self, go_on: Callable[[], None] = lambda: None) -> str:
        """Return its SHA-256 as it is now; `go_on` is called now and then, and raises to give up.

        Raises:
            OSError: the file cannot be read.
        """
        digest, left = hashlib.sha256(), self.size
        with self.path.open("rb") as file:
            while chunk := file.read(min(_CHUNK_BYTES, left)):
                go_on()
                digest.update(chunk)
                left -= len(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FileList:
    """All files, as the machine wants to be told of them, and where here each content is found."""

    document: bytes
    contents: dict[str, FileContent]
    count: int
    size: int

    @property
    def digest(self) -> str:
        """The name of the list: the same files give the same one."""
        return hashlib.sha256(self.document).hexdigest()


class ProjectFiles:
    """Lists the files of a project, and remembers the digest of those that have not changed since."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def read(self, go_on: Callable[[], None]) -> FileList:
        """List what is there now; `go_on` is called now and then, and raises to give up.

        Raises:
            ProjectFilesError: Git fails, or a file cannot be read.
        """
        entries: list[dict[str, object]] = []
        contents: dict[str, FileContent] = {}
        size = 0
        try:
            for name in sorted(_without_ignored(self._root, _names(self._root))):
                go_on()
                path = self._root / name
                try:
                    status = path.lstat()
                    if stat.S_ISLNK(status.st_mode):
                        entries.append({"path": name, "link": str(path.readlink())})
                    elif stat.S_ISREG(status.st_mode):
                        content = FileContent(path, status.st_size)
                        digest = self._digest(content, status, go_on)
                        contents[digest] = content
                        size += status.st_size
                        mode = 0o755 if status.st_mode & 0o100 else 0o644
                        entries.append({"path": name, "digest": digest, "mode": mode})
                except FileNotFoundError:  # a job that runs here has removed it just now
                    continue
        except OSError as error:
            raise ProjectFilesError(f"'{error.filename}' cannot be read: {error.strerror}") from error
        return FileList(json.dumps(entries).encode(), contents, len(entries), size)

    def _digest(self, content: FileContent, status: os.stat_result, go_on: Callable[[], None]) -> str:
        sign = (status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)
        known = self._known.get(content.path)
        if known is not None and known[0] == sign:
            return known[1]
        digest = content.digest(go_on)
        self._known[content.path] = (sign, digest)
        return digest


def _names(root: Path) -> Iterator[str]:
    """Yield the files of a folder, relative to it."""
    listed = _git_names(root)
    if listed is None:
        yield from _all_names(root)
        return
    for name in listed:
        path = root / name
        if _NEVER & set(Path(name).parts):
            continue
        if path.is_dir() and not path.is_symlink():  # a submodule, or a repository in the repository
            yield from (f"{name.rstrip('/')}/{inner}" for inner in _names(path))
        elif os.path.lexists(path):  # else it was deleted, and Git has not been told yet
            yield name


def _git_names(root: Path) -> list[str] | None:
    """Return what Git knows and what it would ask about; None outside of a repository."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS)
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise ProjectFilesError(f"git did not list the files of '{root}' within {_GIT_SECONDS:g} seconds") from error
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip()
        if "not a git repository" in text.lower():
            return None
        raise ProjectFilesError(f"git cannot list the files of '{root}': {text}")
    return list(dict.fromkeys(os.fsdecode(name) for name in done.stdout.split(b"\0") if name))


def _all_names(root: Path) -> Iterator[str]:
    for base, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _NEVER]
        links = [name for name in folders if Path(base, name).is_symlink()]
        for name in (*names, *links):
            yield Path(base, name).relative_to(root).as_posix()


def _without_ignored(root: Path, names: Iterable[str]) -> Iterable[str]:
    file = root / IGNORE_FILE
    if not file.is_file():
        return names
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 -- start-up

    try:
        spec = GitIgnoreSpec.from_lines(file.read_text(encoding="utf-8").splitlines())
    except (ValueError, re.error) as error:  # one for text that is not UTF-8, and for most wrong patterns
        raise ProjectFilesError(f"{IGNORE_FILE} cannot be read: {error}") from error
    return (name for name in names if not spec.match_file(name))
