"""Keeps objects in a folder of this machine.

A file is written beside its place and then linked there, which fails if the place is taken and is never seen half done.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from skyflow.artifacts.keys import blob_key
from skyflow.ports.artifacts import ArtifactError, Blob, SignedRequest, Stored

__all__ = ["FolderStore"]

_CHUNK_BYTES = 1024 * 1024


class FolderStore:
    """An object store in a folder, which comes to be with the first object."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_blob(self, source: Path, go_on: Callable[[int], None]) -> Blob:
        """Copy a file into the store while its digest is computed."""
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as reader, self._draft() as (draft, writer):
            while chunk := reader.read(_CHUNK_BYTES):
                go_on(len(chunk))
                digest.update(chunk)
                writer.write(chunk)
                size += len(chunk)
            writer.close()
            blob = Blob(digest.hexdigest(), size)
            if not self._settle(draft, blob_key(blob.digest)):
                self.touch(blob_key(blob.digest))
        return blob

    def get_blob(self, digest: str, target: Path, go_on: Callable[[int], None]) -> None:
        """Copy a file out of the store, and check it on the way."""
        actual = hashlib.sha256()
        try:
            reader = self._path(blob_key(digest)).open("rb")
        except FileNotFoundError:
            raise ArtifactError(f"the stored content {digest[:12]} is gone") from None
        with reader, target.open("wb") as writer:
            while chunk := reader.read(_CHUNK_BYTES):
                go_on(len(chunk))
                actual.update(chunk)
                writer.write(chunk)
        if actual.hexdigest() != digest:
            self.delete(blob_key(digest))  # so that storing the same content again mends it
            raise ArtifactError(f"the stored content {digest[:12]} is damaged")

    def lacks(self, blob: Blob) -> bool:
        """Tell whether a file has to be stored; one that is there counts as new from now on."""
        path = self._path(blob_key(blob.digest))
        try:
            if path.stat().st_size != blob.size:
                return True
        except FileNotFoundError:
            return True
        self.touch(blob_key(blob.digest))
        return False

    def signed(self, method: str, digests: Sequence[str]) -> list[SignedRequest] | None:  # noqa: ARG002
        """Return None: nobody else reaches a folder."""
        return None

    def create(self, key: str, data: bytes) -> bool:
        """Write a new file."""
        with self._draft() as (draft, writer):
            writer.write(data)
            writer.close()
            return self._settle(draft, key)

    def replace(self, key: str, data: bytes) -> None:
        """Write a file in place of another."""
        with self._draft() as (draft, writer):
            writer.write(data)
            writer.close()
            place = self._path(key)
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(place)

    def read(self, key: str) -> bytes | None:
        """Read a file."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def touch(self, key: str) -> None:
        """Set the time of a file."""
        try:
            os.utime(self._path(key))
        except FileNotFoundError:
            return

    def delete(self, key: str) -> None:
        """Remove a file."""
        self._path(key).unlink(missing_ok=True)

    def objects(self, prefix: str) -> Iterator[Stored]:
        """Yield the files below a folder, by name."""
        for folder, folders, names in os.walk(self._path(prefix)):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    status = path.stat()
                except FileNotFoundError:  # another process has just removed it
                    continue
                modified = datetime.fromtimestamp(status.st_mtime, UTC)
                yield Stored(path.relative_to(self._root).as_posix(), status.st_size, modified)

    def _path(self, key: str) -> Path:
        return self._root / key

    @contextmanager
    def _draft(self) -> Iterator[tuple[Path, IO[bytes]]]:
        """Give a new file that is gone afterwards."""
        if not self._root.exists():
            self._root.parent.mkdir(parents=True, exist_ok=True)
            self._root.mkdir(mode=0o700, exist_ok=True)  # whoever may write here decides what later runs do
        folder = self._root / "drafts"
        folder.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as writer:
                yield draft, writer
        finally:
            draft.unlink(missing_ok=True)

    def _settle(self, draft: Path, key: str) -> bool:
        place = self._path(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.hardlink_to(draft)
        except FileExistsError:
            return False
        return True
