"""The data of a run on a machine: contents that its jobs hand on, under their SHA-256, until the run ends."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile

from skyflow.runners.onhost.json_files import read_json
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import CHUNK_BYTES, copy, digest_of, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["RunData", "entries_of", "is_digest"]

_DIGEST_LETTERS = 64


def is_digest(text: str) -> bool:
    """Tell whether a text can name a content; nothing else ever becomes part of a path."""
    return len(text) == _DIGEST_LETTERS and not set(text) - set("0123456789abcdef")


def entries_of(folder: str, names: list[str], *, follow_links: bool) -> list[dict[str, Any]]:
    """Describe files, folders and links of a workspace, as `skyflow.model.artifacts.Entry` has them.

    With `follow_links` they are the files that links lead to, without times.
    """
    found = []
    for name in names:
        path = os.path.join(folder, name)
        status = os.stat(path) if follow_links else os.lstat(path)
        entry = {
            "path": name,
            "mode": status.st_mode & 0o777,
            "modified_ns": None if follow_links else status.st_mtime_ns,
            "size": 0,
            "content": "",
        }
        if stat.S_ISLNK(status.st_mode):
            found.append({**entry, "kind": "link", "content": os.readlink(path)})
        elif stat.S_ISDIR(status.st_mode):
            found.append({**entry, "kind": "folder"})
        elif stat.S_ISREG(status.st_mode):
            found.append({**entry, "kind": "file", "size": status.st_size, "content": digest_of(path)})
        # sockets, pipes and devices have no content that could be kept
    return found


class RunData:
    """The contents of one run; `run` is its folder."""

    def __init__(self, run: str) -> None:
        self.folder = os.path.join(run, ".data")  # which no job can be called

    def path(self, digest: str) -> str:
        """Return where a content is, or would be."""
        if not is_digest(digest):
            raise RefusedError(f"'{digest}' names no content")
        return os.path.join(self.folder, digest)

    def missing(self, digests: Iterable[str]) -> list[str]:
        """Return which contents are not here."""
        return [digest for digest in digests if not os.path.exists(self.path(digest))]

    def keep(self, owner: str, folder: str, names: list[str], moved: Callable[[int], None]) -> None:
        """Keep a copy of files of a workspace, in place of what the same owner has kept before.

        Two owners may keep the same content; what nobody keeps any more is removed.
        """
        os.makedirs(self.folder, 0o700, exist_ok=True)
        digests = sorted({self._take(os.path.join(folder, name), moved) for name in names})
        owners = os.path.join(self.folder, "owners")
        before = read_json(os.path.join(owners, owner)) or []
        write(os.path.join(owners, owner), json.dumps(digests).encode())
        kept = {digest for name in os.listdir(owners) for digest in read_json(os.path.join(owners, name)) or []}
        for digest in set(before) - kept:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(digest))

    def place(self, work: str, entries: list[dict[str, Any]], *, keep: bool, moved: Callable[[int], None]) -> None:
        """Put files, folders and links into a workspace, over what is there; every content is here, and stays if kept."""
        inside = os.path.realpath(work)
        last = {entry["content"]: entry for entry in entries if entry["kind"] == "file" and not keep}
        for entry in entries:
            target = os.path.join(work, entry["path"])
            parent = target if entry["kind"] == "folder" else os.path.dirname(target)
            os.makedirs(parent, exist_ok=True)
            real = os.path.realpath(parent)
            if real != inside and not real.startswith(inside + os.sep):
                raise RefusedError(f"'{entry['path']}' is not below the workspace")
            if entry["kind"] == "link":
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(target)
                os.symlink(entry["content"], target)
            elif entry["kind"] == "file":
                self._put(entry, target, move=last.get(entry["content"]) is entry)
                moved(entry["size"])

    def _put(self, entry: dict[str, Any], target: str, *, move: bool) -> None:
        draft = f"{target}.{os.getpid()}.part"
        try:
            if move:
                os.rename(self.path(entry["content"]), draft)
                os.chmod(draft, entry["mode"])
            else:
                copy(self.path(entry["content"]), draft, entry["mode"])
            if entry["modified_ns"] is not None:
                os.utime(draft, ns=(entry["modified_ns"], entry["modified_ns"]))
            os.replace(draft, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)

    def _take(self, path: str, moved: Callable[[int], None]) -> str:
        """Copy a file while its digest is computed, and return that."""
        digest = hashlib.sha256()
        descriptor, draft = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with open(path, "rb") as reader, os.fdopen(descriptor, "wb") as writer:
                for piece in iter(lambda: reader.read(CHUNK_BYTES), b""):
                    digest.update(piece)
                    writer.write(piece)
                    moved(len(piece))
            os.replace(draft, self.path(digest.hexdigest()))
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)
            raise
        return digest.hexdigest()
