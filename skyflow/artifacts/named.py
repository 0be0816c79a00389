"""The artifacts of runs, in the stores of a project.

An artifact is in one store, with all its contents. Names are unique in a run, whatever store they are in; only one process
drives a run, so looking first is enough between stores, and within one the store itself decides.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_artifact, write_artifact
from skyflow.artifacts.keys import artifact_id, artifact_key, run_prefix
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import restore_into, store_list, store_tree, stored_size
from skyflow.model.artifacts import Artifact, Entry, NewArtifact, artifact_name_problem
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["Artifacts"]

_GoOn = Callable[[int], None]


class Artifacts:
    """Named trees of files that belong to a run."""

    def __init__(self, stores: Mapping[str, ObjectStore], clock: Clock) -> None:
        """Prepare; nothing happens yet.

        Args:
            stores: where they are, by the names of the stores.
            clock: the time.
        """
        self._stores = stores
        self._clock = clock

    async def upload(self, new: NewArtifact, *, moved: Callable[[int], None] | None = None) -> Artifact:
        """Store files under a name."""
        _refuse_invalid(new.name)
        now = self._clock.now()

        def work(go_on: _GoOn) -> Artifact:
            self._refuse_taken(new)
            tree, entries = store_tree(self._stores[new.store], new.sources, follow_links=True, go_on=go_on)
            return self._written(new, tree, entries, now)

        return await in_thread(work, moved)

    async def enter(self, new: NewArtifact, entries: Sequence[Entry]) -> Artifact:
        """Store a list of files under a name whose contents are in the store already."""
        _refuse_invalid(new.name)
        now = self._clock.now()

        def work(go_on: _GoOn) -> Artifact:
            self._refuse_taken(new)
            return self._written(new, store_list(self._stores[new.store], entries, go_on), entries, now)

        return await in_thread(work)

    async def artifacts(self, run: str, *, unread: dict[str, Exception] | None = None) -> tuple[Artifact, ...]:
        """Return the artifacts of a run, by name; of two of a name, one of which was about to be removed, the later.

        Args:
            run: its id.
            unread: if given, a store that cannot be read is left out, and put here by its name with what is wrong.

        Raises:
            ArtifactError: a document is damaged.
            OSError: a store cannot be read.
        """
        now = self._clock.now()

        def work(go_on: _GoOn) -> tuple[Artifact, ...]:
            found: list[Artifact] = []
            for name in self._stores:
                try:
                    found += self._of_store(name, run, go_on)
                except (ArtifactError, OSError) as error:
                    if unread is None:
                        raise
                    unread[name] = error
            latest = {each.name: each for each in sorted(found, key=lambda each: each.created)}
            return tuple(sorted((each for each in latest.values() if each.expires > now), key=lambda each: each.name))

        return await in_thread(work)

    async def download(self, artifact: Artifact, folder: Path, *, moved: Callable[[int], None] | None = None) -> None:
        """Write the files of an artifact into a folder."""
        await in_thread(partial(restore_into, folder, self._stores[artifact.store], artifact.tree), moved)

    def _of_store(self, name: str, run: str, go_on: _GoOn) -> list[Artifact]:
        found, objects = [], self._stores[name]
        for stored in objects.objects(run_prefix(run)):
            go_on(0)
            data = objects.read(stored.key)
            if data is not None:
                found.append(read_artifact(data, store=name))
        return found

    def _written(self, new: NewArtifact, tree: str, entries: Sequence[Entry], now: datetime) -> Artifact:
        """Write the document of an artifact whose contents are stored."""
        artifact = Artifact(
            id=artifact_id(new.run, new.name, tree),
            name=new.name,
            run=new.run,
            by=new.by,
            created=now,
            expires=now + timedelta(days=new.retention_days),
            size=stored_size(entries),
            tree=tree,
            store=new.store,
        )
        key, document = artifact_key(new.run, new.name), write_artifact(artifact)
        if not self._stores[new.store].create(key, document):
            self._refuse_taken(new)
            self._stores[new.store].replace(key, document)
        for name, objects in self._stores.items():
            if name != new.store:
                objects.delete(key)  # of an earlier attempt that ran elsewhere
        return artifact

    def _refuse_taken(self, new: NewArtifact) -> None:
        key = artifact_key(new.run, new.name)
        for name, objects in self._stores.items():
            data = None if new.overwrite else objects.read(key)
            if data is None:
                continue
            there = read_artifact(data, store=name)
            # that of an attempt which was given up does not count, nor what this very step did before its driver died
            if there.by == new.by or (there.by.job_key == new.by.job_key and there.by.attempt < new.by.attempt):
                continue
            raise ArtifactError(
                f"this run has an artifact '{there.name}' already, from job '{there.by.job_key}': "
                "choose another name, or set 'overwrite: true'"
            )


def _refuse_invalid(name: str) -> None:
    problem = artifact_name_problem(name)
    if problem:
        raise ArtifactError(problem)
