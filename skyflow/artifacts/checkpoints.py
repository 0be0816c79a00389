"""What jobs go on from after an attempt that did not end well, in an object store."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_checkpoint, write_checkpoint
from skyflow.artifacts.keys import checkpoint_key
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import Place, read_tree, restore_tree, store_tree, stored_size
from skyflow.model.artifacts import Checkpoint, Source
from skyflow.ports.artifacts import ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["CheckpointStore", "sources_in"]


class CheckpointStore:
    """One tree of files for each job of a run: the last one that was kept. Contents that did not change are kept once."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def save(
        self, run: str, job: str, sources: Callable[[], Sequence[Source]], *, attempt: int, was_here: bool
    ) -> Checkpoint:
        """Keep files in place of those that were kept before.

        Raises:
            ArtifactError: a file cannot be read or stored; what was kept before still is.
        """
        now = self._clock.now()

        def work(go_on: Callable[[int], None]) -> Checkpoint:
            tree, entries = store_tree(self._objects, sources(), follow_links=False, go_on=go_on)
            size = stored_size(entries)
            kept = Checkpoint(run=run, job=job, attempt=attempt, was_here=was_here, created=now, size=size, tree=tree)
            self._objects.replace(checkpoint_key(run, job), write_checkpoint(kept))
            return kept

        return await in_thread(work)

    async def find(self, run: str, job: str) -> Checkpoint | None:
        """Return what a job last kept, if anything.

        Raises:
            ArtifactError: the store cannot be read.
        """

        def work(go_on: Callable[[int], None]) -> Checkpoint | None:
            go_on(0)
            data = self._objects.read(checkpoint_key(run, job))
            return None if data is None else read_checkpoint(data)

        return await in_thread(work)

    async def restore(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Write what was kept into a folder, over what is there.

        Raises:
            ArtifactError: a file is gone or damaged, or cannot be written.
        """
        await in_thread(partial(self._restore, checkpoint, folder))

    def _restore(self, checkpoint: Checkpoint, folder: Path, go_on: Callable[[int], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        entries = read_tree(self._objects, checkpoint.tree, go_on)
        restore_tree(self._objects, [Place(entry, folder, entry.path) for entry in entries], go_on)


def sources_in(base: Path, path: str) -> list[Source]:
    """Return everything at and below a path, named from a base; nothing where there is nothing.

    Raises:
        OSError: a folder cannot be read.
    """
    top = base / path
    if not top.exists():
        return []
    found = [top, *sorted(top.rglob("*"))] if top.is_dir() else [top]
    return [Source(each.relative_to(base).as_posix(), each) for each in found]
