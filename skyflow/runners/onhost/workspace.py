"""Keeps the contents of files, and makes workspaces of them."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from skyflow.runners.onhost.data import RunData
from skyflow.runners.onhost.json_files import read_json
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import copy, digest_of, remove, write

__all__ = ["Workspaces"]

_OLD_SECONDS = 30 * 24 * 3600.0
"""So long unused, what was copied to the machine is deleted."""


class Workspaces:
    """What can be asked about files: contents under their SHA-256, lists of them, and workspaces made of both."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(os.path.join(os.path.expanduser("~"), folder))

    def path(self, *parts: str) -> str:
        """Return a path below the folder; nothing that is asked for may lie elsewhere."""
        path = os.path.normpath(os.path.join(self.folder, *parts))
        if not path.startswith(self.folder + os.sep):
            raise RefusedError(f"'{os.path.join(*parts)}' is not below the folder of skyflow")
        return path

    def do_tree(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Take in the list of a folder's files, and say which of their contents are missing."""
        place = self.path("trees", ask["digest"])
        if data:
            write(place, data)
        elif not os.path.exists(place):
            return {"known": False, "missing": []}
        os.utime(place)
        digests = {entry["digest"] for entry in read_json(place) or [] if "digest" in entry}
        return {"known": True, "missing": sorted(each for each in digests if not os.path.exists(self._blob(each)))}

    def do_blob(self, ask: dict[str, Any], data: bytes) -> None:
        """Take in a content, piece by piece; the last piece says so. With `run`, it is data of that run."""
        place = self._data(ask).path(ask["digest"]) if "run" in ask else self._blob(ask["digest"])
        draft = f"{place}.{ask['by']}.part"
        if ask["offset"] == 0:
            os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
        with open(draft, "r+b" if ask["offset"] else "wb") as file:
            file.seek(ask["offset"])  # a piece may come twice
            file.write(data)
            file.truncate()
        if ask["last"]:
            if digest_of(draft) != ask["digest"]:
                os.unlink(draft)
                raise RefusedError(f"the content {ask['digest'][:12]} was damaged on the way")
            os.replace(draft, place)

    def do_lacks(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Tell which contents are not among the data of a run."""
        return {}, json.dumps(self._data(ask).missing(json.loads(data.decode()))).encode()

    def do_build(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Make the workspace of an attempt, fresh, of contents that are there; harmless if it was made before."""
        target = self.path("runs", ask["folder"], "work")
        if os.path.isdir(target):
            return {"was": True}
        os.makedirs(self.path("runs", ask["folder"], "temp"), 0o700, exist_ok=True)
        event = self.path("runs", ask["run"], "event.json")
        if not os.path.exists(event):
            write(event, data)
        draft = f"{target}.{os.getpid()}.part"
        remove(draft)
        os.makedirs(draft, 0o700)
        for entry in read_json(self.path("trees", ask["digest"])) or []:
            place = os.path.normpath(os.path.join(draft, entry["path"]))
            if not place.startswith(draft + os.sep):
                raise RefusedError(f"'{entry['path']}' is not below the workspace")
            os.makedirs(os.path.dirname(place), exist_ok=True)
            if "link" in entry:
                os.symlink(entry["link"], place)
            elif "digest" in entry:
                blob = self._blob(entry["digest"])
                os.utime(blob)
                copy(blob, place, entry["mode"])
            else:
                os.makedirs(place, exist_ok=True)
        os.rename(draft, target)
        return {"was": False}

    def do_built(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Tell whether the workspace of an attempt is there."""
        del data
        return {"was": os.path.isdir(self.path("runs", ask["folder"], "work"))}

    def do_walk(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """List everything below a folder: its path, and what it is."""
        del data
        found = []
        top = ask["folder"]
        for base, folders, names in os.walk(top):
            found += [(os.path.relpath(os.path.join(base, name), top), "folder") for name in folders]
            found += [(os.path.relpath(os.path.join(base, name), top), "file") for name in names]
        return {}, json.dumps(found).encode(errors="surrogateescape")

    def do_read(self, ask: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
        """Return a piece of a file."""
        del data
        with open(os.path.join(ask["folder"], ask["path"]), "rb") as file:
            file.seek(ask["offset"])
            return {"mode": os.fstat(file.fileno()).st_mode & 0o777}, file.read(ask["most"])

    def do_hash(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Return the SHA-256 of files."""
        paths = json.loads(data.decode(errors="surrogateescape"))
        return {"digests": [digest_of(os.path.join(ask["folder"], path)) for path in paths]}

    def _data(self, ask: dict[str, Any]) -> RunData:
        return RunData(self.path("runs", ask["run"]))

    def _blob(self, digest: str) -> str:
        return self.path("blobs", digest[:2], digest)

    def forget_old(self) -> None:
        """Delete what was copied here and has not been used for long."""
        for base, _, names in [found for kind in ("blobs", "trees") for found in os.walk(self.path(kind))]:
            for name in names:
                with contextlib.suppress(OSError):
                    if time.time() - os.stat(os.path.join(base, name)).st_mtime > _OLD_SECONDS:
                        os.unlink(os.path.join(base, name))
