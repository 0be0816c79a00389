"""Artifacts and caches as the small documents that a store keeps of them."""

import json
from dataclasses import asdict
from datetime import datetime

from skyflow.model.artifacts import Artifact, CachedTree, Checkpoint
from skyflow.model.execution import StepRef

__all__ = [
    "read_artifact",
    "read_cache",
    "read_checkpoint",
    "write_artifact",
    "write_cache",
    "write_checkpoint",
]


def write_artifact(artifact: Artifact) -> bytes:
    """Return the document of an artifact."""
    fields = {
        "id": artifact.id,
        "name": artifact.name,
        "run": artifact.run,
        "by": [artifact.by.job_key, artifact.by.attempt, artifact.by.position],
        "created": artifact.created.isoformat(),
        "expires": artifact.expires.isoformat(),
        "size": artifact.size,
        "tree": artifact.tree,
    }
    return json.dumps(fields, indent=1).encode()


def read_artifact(data: bytes) -> Artifact:
    """Return the artifact of a document."""
    fields = json.loads(data)
    times = {name: datetime.fromisoformat(fields[name]) for name in ("created", "expires")}
    return Artifact(**{**fields, **times, "by": StepRef(*fields["by"])})


def write_cache(cached: CachedTree) -> bytes:
    """Return the document of a cache."""
    fields = {
        "key": cached.key,
        "version": cached.version,
        "scope": cached.scope,
        "created": cached.created.isoformat(),
        "size": cached.size,
        "tree": cached.tree,
    }
    return json.dumps(fields, indent=1).encode()


def read_cache(data: bytes) -> CachedTree:
    """Return the cache of a document."""
    fields = json.loads(data)
    return CachedTree(**{**fields, "created": datetime.fromisoformat(fields["created"])})


def write_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the document of a checkpoint."""
    return json.dumps({**asdict(checkpoint), "created": checkpoint.created.isoformat()}, indent=1).encode()


def read_checkpoint(data: bytes) -> Checkpoint:
    """Return the checkpoint of a document."""
    fields = json.loads(data)
    return Checkpoint(**{**fields, "created": datetime.fromisoformat(fields["created"])})
