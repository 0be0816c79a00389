"""Stored trees piece by piece, for whoever puts them somewhere else than in a folder of this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path

from skyflow.artifacts.keys import blob_key
from skyflow.artifacts.many import at_once
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import read_tree
from skyflow.model.artifacts import Entry
from skyflow.ports.artifacts import Blob, ObjectStore, SignedRequest

__all__ = ["Contents"]


class Contents:
    """Lists of entries, and what files contain; see `skyflow.ports.artifacts.ContentStore`."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    async def entries(self, tree: str) -> tuple[Entry, ...]:
        """Return what is in a tree, by the digest of its list.

        Raises:
            ArtifactError: it is gone or damaged, or cannot be read.
        """

        def work(go_on: Callable[[int], None]) -> tuple[Entry, ...]:
            return read_tree(self._objects, tree, go_on)

        return await in_thread(work)

    async def read(self, digest: str, target: Path) -> None:
        """Write a content to a file, which is made for it.

        Raises:
            ArtifactError: it is gone or damaged, or cannot be read.
        """

        def work(go_on: Callable[[int], None]) -> None:
            self._objects.get_blob(digest, target, go_on)

        await in_thread(work)

    async def lacks(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Return the contents that have to be stored, each once."""
        wanted = list({blob.digest: blob for blob in blobs}.values())

        def look(blob: Blob, go_on: Callable[[int], None]) -> bool:
            go_on(0)
            return self._objects.lacks(blob)

        def work(go_on: Callable[[int], None]) -> list[Blob]:
            found = at_once(look, wanted, go_on)
            return [blob for blob, is_lacking in zip(wanted, found, strict=True) if is_lacking]

        return await in_thread(work)

    async def signed(self, method: str, digests: Sequence[str]) -> list[SignedRequest] | None:
        """Return requests that GET or PUT contents; None where only we can reach the store."""
        return await in_thread(lambda _: self._objects.signed(method, digests))

    async def put(self, source: Path) -> Blob:
        """Store the content of a file here."""
        return await in_thread(lambda go_on: self._objects.put_blob(source, go_on))

    async def forget(self, digests: Sequence[str]) -> None:
        """Remove contents that are not what their digests say."""

        def work(go_on: Callable[[int], None]) -> None:
            for digest in digests:
                go_on(0)
                self._objects.delete(blob_key(digest))

        await in_thread(work)
