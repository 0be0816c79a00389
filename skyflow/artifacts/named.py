"""The artifacts of runs, in an object store."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_artifact, write_artifact
from skyflow.artifacts.keys import artifact_id, artifact_key, run_prefix
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import Place, read_tree, restore_tree, store_tree, stored_size
from skyflow.model.artifacts import Artifact, Source, artifact_name_problem
from skyflow.model.execution import StepRef
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["Artifacts"]


class Artifacts:
    """Named trees of files that belong to a run."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def upload(
        self,
        run: str,
        name: str,
        sources: Sequence[Source],
        *,
        by: StepRef,
        retention_days: int,
        overwrite: bool = False,
        moved: Callable[[int], None] | None = None,
    ) -> Artifact:
        """Store files under a name."""
        problem = artifact_name_problem(name)
        if problem:
            raise ArtifactError(problem)
        now = self._clock.now()
        key = artifact_key(run, name)

        def work(go_on: Callable[[int], None]) -> Artifact:
            self._refuse_taken(key, by=by, overwrite=overwrite)
            tree, entries = store_tree(self._objects, sources, follow_links=True, go_on=go_on)
            artifact = Artifact(
                id=artifact_id(run, name, tree),
                name=name,
                run=run,
                by=by,
                created=now,
                expires=now + timedelta(days=retention_days),
                size=stored_size(entries),
                tree=tree,
            )
            document = write_artifact(artifact)
            if not self._objects.create(key, document):
                self._refuse_taken(key, by=by, overwrite=overwrite)
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

    def _refuse_taken(self, key: str, *, by: StepRef, overwrite: bool) -> None:
        data = None if overwrite else self._objects.read(key)
        if data is None:
            return
        there = read_artifact(data)
        # that of an attempt which was given up does not count, nor what this very step did before its driver died
        if there.by == by or (there.by.job_key == by.job_key and there.by.attempt < by.attempt):
            return
        raise ArtifactError(
            f"this run has an artifact '{there.name}' already, from job '{there.by.job_key}': "
            "choose another name, or set 'overwrite: true'"
        )
