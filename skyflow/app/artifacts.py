"""The artifacts of runs, for looking at, fetching and removing."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.project import Project
from skyflow.app.stores import ProjectStores
from skyflow.artifacts.keys import artifact_key
from skyflow.artifacts.named import Artifacts
from skyflow.errors import StoreError, UsageError
from skyflow.model.artifacts import Artifact
from skyflow.ports.artifacts import ArtifactError
from skyflow.store.store import open_store

__all__ = ["StoredArtifacts", "fetch_artifact", "list_artifacts", "remove_artifact"]


@dataclass(frozen=True, slots=True)
class StoredArtifacts:
    """The artifacts of a run in all stores that can be read, and a sentence for each store that cannot."""

    artifacts: tuple[Artifact, ...]
    unread: tuple[str, ...]


def list_artifacts(project: Project, run: str) -> StoredArtifacts:
    """Return the artifacts of a run, by name.

    Raises:
        UsageError: there is no such run.
    """
    with open_store(project.state, create=False) as store:
        record = store.find_run(run)
    artifacts = Artifacts(ProjectStores(project).all_open(), SystemClock())
    unread: dict[str, Exception] = {}
    found = anyio.run(partial(artifacts.artifacts, record.origin or record.id, unread=unread))
    return StoredArtifacts(found, tuple(f"the store '{name}' cannot be read: {why}" for name, why in unread.items()))


def fetch_artifact(project: Project, run: str, name: str, folder: Path) -> Artifact:
    """Write the files of an artifact into a folder, and return it.

    Raises:
        UsageError: there is no such run or artifact.
        StoreError: it cannot be read, or not written.
    """
    artifact = _find(list_artifacts(project, run), run, name)
    try:
        anyio.run(Artifacts(ProjectStores(project), SystemClock()).download, artifact, folder)
    except ArtifactError as error:
        raise StoreError(str(error)) from error
    return artifact


def remove_artifact(project: Project, run: str, name: str) -> Artifact:
    """Forget an artifact, and return it; its contents go the next time that room is made.

    Raises:
        UsageError: there is no such run or artifact.
        StoreError: it cannot be removed.
    """
    artifact = _find(list_artifacts(project, run), run, name)
    try:
        ProjectStores(project)[artifact.store].delete(artifact_key(artifact.run, artifact.name))
    except OSError as error:
        raise StoreError(f"the artifact cannot be removed: {error}") from error
    return artifact


def _find(stored: StoredArtifacts, run: str, name: str) -> Artifact:
    for artifact in stored.artifacts:
        if artifact.name == name:
            return artifact
    if stored.unread:
        raise StoreError(f"no store that can be read has an artifact '{name}' of run {run}; {'; '.join(stored.unread)}")
    raise UsageError(
        f"run {run} has no artifact '{name}'",
        hint=did_you_mean(name, [artifact.name for artifact in stored.artifacts])
        or f"`skyflow artifacts list {run}` lists them",
    )
