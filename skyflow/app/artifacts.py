"""The artifacts of runs, for looking at, fetching and removing."""

import os
from collections.abc import Sequence
from pathlib import Path

import anyio

from skyflow._util.text import did_you_mean
from skyflow.app.artifact_place import PLACE_VARIABLE
from skyflow.app.clock import SystemClock
from skyflow.app.project import Project
from skyflow.artifacts.keys import artifact_key
from skyflow.artifacts.named import Artifacts
from skyflow.artifacts.places import open_place
from skyflow.errors import StoreError, UsageError
from skyflow.model.artifacts import Artifact
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.store.store import open_store

__all__ = ["artifact_store", "fetch_artifact", "list_artifacts", "remove_artifact"]


def artifact_store(project: Project) -> ObjectStore:
    """Return where the artifacts and caches of a project are kept.

    Raises:
        UsageError: the variable names no store.
    """
    return open_place(os.environ.get(PLACE_VARIABLE) or str(project.state.artifacts))


def list_artifacts(project: Project, run: str) -> tuple[Artifact, ...]:
    """Return the artifacts of a run, by name.

    Raises:
        UsageError: there is no such run.
        StoreError: the artifacts cannot be read.
    """
    with open_store(project.state, create=False) as store:
        record = store.find_run(run)
    artifacts = Artifacts(artifact_store(project), SystemClock())
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
        anyio.run(Artifacts(artifact_store(project), SystemClock()).download, artifact, folder)
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
        artifact_store(project).delete(artifact_key(artifact.run, artifact.name))
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
