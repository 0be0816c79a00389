"""The artifacts of runs, in an object store."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_artifact, write_artifact
from skyflow.artifacts.keys import artifact_id, artifact_key, run_prefix
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import Place, read_tree, restore_tree, store_tree, stored_size
from skyflow.model.artifacts import Artifact, NewArtifact, artifact_name_problem
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["Artifacts"]


class Artifacts:
    """Named trees of files that belong to a run."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def upload(self, new: NewArtifact, *, moved: Callable[[int], None] | None = None) -> Artifact:
        """Store files under a name."""
        problem = artifact_name_problem(new.name)
        if problem:
            raise ArtifactError(problem)
        now = self._clock.now()
        key = artifact_key(new.run, new.name)

        def work(go_on: Callable[[int], None]) -> Artifact:
            self._refuse_taken(key, new)
            tree, entries = store_tree(self._objects, new.sources, follow_links=True, go_on=go_on)
            artifact = Artifact(
                id=artifact_id(new.run, new.name, tree),
                name=new.name,
                run=new.run,
                by=new.by,
                created=now,
                expires=now + timedelta(days=new.retention_days),
                size=stored_size(entries),
                tree=tree,
            )
            document = write_artifact(artifact)
            if not self._objects.create(key, document):
                self._refuse_taken(key, new)
                self._objects.replace(key, document)
            return artifact

        return await in_thread(work, moved)

    async def artifacts(self, run: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a run, by name."""
        now = self._clock.now()

        def work(go_on: Callable[[int], None]) -> tuple[Artifact, ...]:
            found: list[Artifact] = []
            for stored in self._objects.objects(run_prefix(run)):
                go_on(0)
                data = self._objects.read(stored.key)
                if data is not None:
                    found.append(read_artifact(data))
            return tuple(sorted((each for each in found if each.expires > now), key=lambda each: each.name))

        return await in_thread(work)

    async def download(self, artifact: Artifact, folder: Path, *, moved: Callable[[int], None] | None = None) -> None:
        """Write the files of an artifact into a folder."""
        await in_thread(partial(self._restore, artifact, folder), moved)

    def _restore(self, artifact: Artifact, folder: Path, go_on: Callable[[int], None]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        entries = read_tree(self._objects, artifact.tree, go_on)
        restore_tree(self._objects, [Place(entry, folder, entry.path) for entry in entries], go_on)

    def _refuse_taken(self, key: str, new: NewArtifact) -> None:
        data = None if new.overwrite else self._objects.read(key)
        if data is None:
            return
        there = read_artifact(data)
        # that of an attempt which was given up does not count, nor what this very step did before its driver died
        if there.by == new.by or (there.by.job_key == new.by.job_key and there.by.attempt < new.by.attempt):
            return
        raise ArtifactError(
            f"this run has an artifact '{there.name}' already, from job '{there.by.job_key}': "
            "choose another name, or set 'overwrite: true'"
        )
