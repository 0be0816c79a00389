"""The artifacts of runs, for looking at, fetching and removing."""

from collections.abc import Sequence
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

__all__ = ["fetch_artifact", "list_artifacts", "remove_artifact"]


def list_artifacts(project: Project, run: str) -> tuple[Artifact, ...]:
    """Return the artifacts of a run in all stores, by name.

    Raises:
        UsageError: there is no such run.
        StoreError: the artifacts cannot be read.
    """
    with open_store(project.state, create=False) as store:
        record = store.find_run(run)
    artifacts = Artifacts(ProjectStores(project).all_open(), SystemClock())
    try:
        return anyio.run(artifacts.artifacts, record.origin or record.id)
    except ArtifactError as error:
        raise StoreError(str(error)) from error


def fetch_artifact(project: Project, run: str, name: str, folder: Path) -> Artifact:
    """Write the files of an artifact into a folder, and return it.

    Raises:
        UsageError: there is no such run or artifact.
        StoreError: it cannot be read, or not written.
    """
    artifact = _find(list_artifacts(project, run), run, name)
    try:
        anyio.run(Artifacts(ProjectStores(project).all_open(), SystemClock()).download, artifact, folder)
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


def _find(artifacts: Sequence[Artifact], run: str, name: str) -> Artifact:
    for artifact in artifacts:
        if artifact.name == name:
            return artifact
    raise UsageError(
        f"run {run} has no artifact '{name}'",
        hint=did_you_mean(name, [artifact.name for artifact in artifacts])
        or f"`skyflow artifacts list {run}` lists them",
    )
