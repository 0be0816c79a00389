"""Stored trees piece by piece, for whoever puts them somewhere else than in a folder of this machine."""

from collections.abc import Callable
from pathlib import Path

from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import read_tree
from skyflow.model.artifacts import Entry
from skyflow.ports.artifacts import ObjectStore

__all__ = ["Contents"]


class Contents:
    """Lists of entries, and what files contain."""

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
