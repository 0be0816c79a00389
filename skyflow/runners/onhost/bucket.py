"""Contents between this machine and a store of artifacts, by requests that somebody else has signed.

Whoever asks for it keeps the credentials; what comes here is good for one content each, and for some hours. Only what
Python has is used, so proxies and certificates are those that the environment names.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import threading
import time
import urllib.error
import urllib.request

from skyflow.runners.onhost.small_files import CHUNK_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    from skyflow.runners.onhost.data import RunData

__all__ = ["get_all", "put_all"]

_AT_ONCE = 8
_TRIES = 4
_PAUSE_SECONDS = 0.5
_SECONDS = 60.0
"""So long nothing may move."""


class _Left:
    """What could not be moved, why the last of it, and what was not as it should be."""

    def __init__(self, moved: Callable[[int], None]) -> None:
        self._lock = threading.Lock()
        self._moved = moved
        self.left: list[str] = []
        self.spoiled: list[str] = []
        self.why = ""

    def count(self, size: int) -> None:
        with self._lock:
            self._moved(size)

    def add(self, digest: str, why: str, *, is_spoiled: bool = False) -> None:
        with self._lock:
            self.why = why
            (self.spoiled if is_spoiled else self.left).append(digest)

    def fields(self) -> dict[str, Any]:
        return {"left": sorted(self.left), "spoiled": sorted(self.spoiled), "why": self.why}


def put_all(folder: str, blobs: list[dict[str, Any]], moved: Callable[[int], None]) -> dict[str, Any]:
    """Send files of a workspace to a store.

    Returns:
        `left`: digests of what could not be sent, `why`, and `spoiled`: of what was sent and has changed meanwhile.
    """
    outcome = _Left(moved)

    def put(blob: dict[str, Any]) -> None:
        path = os.path.join(folder, blob["name"])
        _persistently(outcome, blob["digest"], lambda: _put(path, blob, outcome))

    _for_all(put, blobs)
    return outcome.fields()


def get_all(data: RunData, blobs: list[dict[str, Any]], moved: Callable[[int], None]) -> dict[str, Any]:
    """Fetch contents from a store, each checked; the answer is that of `put_all`, and nothing that is not right is kept."""
    os.makedirs(data.folder, 0o700, exist_ok=True)
    outcome = _Left(moved)

    def get(blob: dict[str, Any]) -> None:
        place = data.path(blob["digest"])
        draft = f"{place}.{os.getpid()}.part"
        try:
            _persistently(outcome, blob["digest"], lambda: _get(place, draft, blob, outcome))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)

    _for_all(get, blobs)
    return outcome.fields()


def _for_all(work: Callable[[dict[str, Any]], None], blobs: list[dict[str, Any]]) -> None:
    """Do the same for all, some at a time; when the main thread is interrupted, nobody waits for the others."""
    waiting = list(reversed(blobs))
    errors: list[BaseException] = []

    def some() -> None:
        with contextlib.suppress(IndexError):
            while not errors:
                blob = waiting.pop()
                try:
                    work(blob)
                except BaseException as error:  # noqa: BLE001 -- raised below
                    errors.append(error)

    threads = [threading.Thread(target=some, daemon=True) for _ in range(min(_AT_ONCE, len(blobs)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _persistently(outcome: _Left, digest: str, work: Callable[[], None]) -> None:
    """Do something, again where the service or the way to it fails; whoever has asked does it another way in the end."""
    for number in range(_TRIES):
        if number:
            time.sleep(_PAUSE_SECONDS * 2**number)
        try:
            work()
        except urllib.error.HTTPError as error:
            why, is_final = f"the store answers {error.code} {error.reason}", error.code < 500 and error.code != 429  # noqa: PLR2004
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            why, is_final = f"the store cannot be reached: {reason or type(reason).__name__}", False
        else:
            return
        if is_final or number == _TRIES - 1:
            outcome.add(digest, why)
            return


class _Counted:
    """The beginning of a file that is sent, of so many bytes: says how much of it was read, and what it was."""

    def __init__(self, file: BinaryIO, most: int, outcome: _Left) -> None:
        self._file = file
        self._most = most
        self._outcome = outcome
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, _: int = -1) -> bytes:
        piece = self._file.read(min(CHUNK_BYTES, self._most - self.size))
        self.digest.update(piece)
        self.size += len(piece)
        self._outcome.count(len(piece))
        return piece


def _put(path: str, blob: dict[str, Any], outcome: _Left) -> None:
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size != blob["size"]:
            outcome.add(blob["digest"], "it has changed meanwhile")
            return
        counted = _Counted(file, blob["size"], outcome)
        try:
            headers = {
                **dict(blob["headers"]),
                "Content-Length": str(blob["size"]),
                "Content-Type": "application/octet-stream",
            }
            request = urllib.request.Request(blob["url"], data=counted, method="PUT", headers=headers)
            with urllib.request.urlopen(request, timeout=_SECONDS):
                pass
        except BaseException:
            outcome.count(-counted.size)
            raise
    if counted.digest.hexdigest() != blob["digest"]:
        outcome.add(blob["digest"], "it has changed meanwhile", is_spoiled=True)


def _get(place: str, draft: str, blob: dict[str, Any], outcome: _Left) -> None:
    """Fetch a content, from where an earlier try has come to."""
    with open(draft, "a+b") as file:
        request = urllib.request.Request(blob["url"], headers=dict(blob["headers"]))
        there = file.seek(0, os.SEEK_END)
        if there:
            request.add_header("Range", f"bytes={there}-")
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            if there and answer.status != http.client.PARTIAL_CONTENT:
                file.truncate(0)
                outcome.count(-there)
            left = blob["size"] + 1 - file.seek(0, os.SEEK_END)  # a byte too many says that it is something else
            while left > 0 and (piece := answer.read(min(CHUNK_BYTES, left))):
                file.write(piece)
                outcome.count(len(piece))
                left -= len(piece)
        size = file.seek(0, os.SEEK_END)
        if size < blob["size"]:
            raise ConnectionError("the answer was cut off")
        digest = hashlib.sha256()
        file.seek(0)
        for piece in iter(lambda: file.read(CHUNK_BYTES), b""):
            digest.update(piece)
        if digest.hexdigest() != blob["digest"]:
            file.truncate(0)
            outcome.count(-size)
            raise ConnectionError("what came is damaged")
    os.replace(draft, place)
