"""What jobs go on from after an attempt that did not end well, in the stores of a project."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_checkpoint, write_checkpoint
from skyflow.artifacts.keys import checkpoint_key
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import restore_into, store_list, store_tree, stored_size
from skyflow.model.artifacts import Checkpoint, Entry, Source
from skyflow.ports.artifacts import ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["CheckpointStore", "sources_in"]


class CheckpointStore:
    """One tree of files for each job of a run: the last one that was kept. Contents that did not change are kept once."""

    def __init__(self, stores: Mapping[str, ObjectStore], clock: Clock) -> None:
        """Prepare; nothing happens yet.

        Args:
            stores: where they are, by the names of the stores.
            clock: the time.
        """
        self._stores = stores
        self._clock = clock

    async def save(
        self, run: str, job: str, sources: Callable[[], Sequence[Source]], *, attempt: int, store: str = ""
    ) -> Checkpoint:
        """Keep files of this machine in place of those that were kept before.

        Raises:
            ArtifactError: a file cannot be read or stored; what was kept before still is.
        """
        now = self._clock.now()
        of_tree = partial(Checkpoint, run=run, job=job, attempt=attempt, was_here=True, created=now, store=store)

        def work(go_on: Callable[[int], None]) -> Checkpoint:
            tree, entries = store_tree(self._stores[store], sources(), follow_links=False, go_on=go_on)
            return self._written(of_tree(tree=tree, size=stored_size(entries)))

        return await in_thread(work)

    async def enter(self, run: str, job: str, entries: Sequence[Entry], *, attempt: int, store: str = "") -> Checkpoint:
        """Keep files of another machine in place of those that were kept before; their contents are in the store already.

        Raises:
            ArtifactError: the list cannot be stored; what was kept before still is.
        """
        now = self._clock.now()
        of_tree = partial(Checkpoint, run=run, job=job, attempt=attempt, was_here=False, created=now, store=store)

        def work(go_on: Callable[[int], None]) -> Checkpoint:
            tree = store_list(self._stores[store], entries, go_on)
            return self._written(of_tree(tree=tree, size=stored_size(entries)))

        return await in_thread(work)

    async def find(self, run: str, job: str) -> Checkpoint | None:
        """Return what a job last kept, if anything.

        Raises:
            ArtifactError: a store cannot be read.
        """

        def work(go_on: Callable[[int], None]) -> Checkpoint | None:
            found: list[Checkpoint] = []
            for name, objects in self._stores.items():
                go_on(0)
                data = objects.read(checkpoint_key(run, job))
                if data is not None:
                    found.append(read_checkpoint(data, store=name))
            return max(found, key=_age, default=None)

        return await in_thread(work)

    async def restore(self, checkpoint: Checkpoint, folder: Path) -> None:
        """Write what was kept into a folder, over what is there.

        Raises:
            ArtifactError: a file is gone or damaged, or cannot be written.
        """
        await in_thread(partial(restore_into, folder, self._stores[checkpoint.store], checkpoint.tree))

    def _written(self, kept: Checkpoint) -> Checkpoint:
        key = checkpoint_key(kept.run, kept.job)
        self._stores[kept.store].replace(key, write_checkpoint(kept))
        for name, objects in self._stores.items():
            if name != kept.store:
                objects.delete(key)  # of an attempt that ran elsewhere
        return kept


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


def _age(kept: Checkpoint) -> tuple[int, datetime]:
    return kept.attempt, kept.created
