"""Artifacts, caches and checkpoints as the small documents that a store keeps of them, and what a tree is made of.

Whoever may write to the store may have written something else there, so nothing is taken for granted when they are read.
"""

import json
from dataclasses import asdict
from datetime import datetime

from skyflow._util.foreign_json import read_json
from skyflow.artifacts.keys import is_digest
from skyflow.model.artifacts import Artifact, CachedTree, Checkpoint, Entry, EntryKind
from skyflow.model.execution import StepRef
from skyflow.ports.artifacts import ArtifactError

__all__ = [
    "read_artifact",
    "read_cache",
    "read_checkpoint",
    "read_entry",
    "write_artifact",
    "write_cache",
    "write_checkpoint",
    "write_entry",
]

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
_PERMISSIONS = 0o777  # no set-uid bit comes out of a store


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


def read_artifact(data: bytes, *, store: str = "") -> Artifact:
    """Return the artifact of a document, which is in `store`: what that is called is not part of it.

    Raises:
        ArtifactError: it is none.
    """
    fields = _Fields(data, "an artifact")
    return Artifact(
        id=fields.number("id"),
        name=fields.text("name"),
        run=fields.text("run"),
        by=fields.step("by"),
        created=fields.time("created"),
        expires=fields.time("expires"),
        size=fields.number("size"),
        tree=fields.digest("tree"),
        store=store,
    )


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
    """Return the cache of a document.

    Raises:
        ArtifactError: it is none.
    """
    fields = _Fields(data, "a cache")
    return CachedTree(
        key=fields.text("key"),
        version=fields.text("version"),
        scope=fields.text("scope"),
        created=fields.time("created"),
        size=fields.number("size"),
        tree=fields.digest("tree"),
    )


def write_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Return the document of a checkpoint."""
    fields = {**asdict(checkpoint), "created": checkpoint.created.isoformat()}
    del fields["store"]
    return json.dumps(fields, indent=1).encode()


def read_checkpoint(data: bytes, *, store: str = "") -> Checkpoint:
    """Return the checkpoint of a document, which is in `store`.

    Raises:
        ArtifactError: it is none.
    """
    fields = _Fields(data, "a checkpoint")
    return Checkpoint(
        run=fields.text("run"),
        job=fields.text("job"),
        attempt=fields.number("attempt"),
        was_here=bool(fields.number("was_here")),
        created=fields.time("created"),
        size=fields.number("size"),
        tree=fields.digest("tree"),
        store=store,
    )


def write_entry(entry: Entry) -> str:
    """Return the line of one entry of a tree."""
    return json.dumps({**asdict(entry), "kind": entry.kind.value})


def read_entry(line: str) -> Entry:
    """Return the entry of a line.

    Raises:
        ArtifactError: it is none.
    """
    fields = _Fields(line, "an entry of a tree")
    kind = fields.text("kind")
    if kind not in frozenset(EntryKind):
        raise fields.damaged("kind")
    return Entry(
        path=fields.text("path"),
        kind=EntryKind(kind),
        mode=fields.number("mode") & _PERMISSIONS,
        size=fields.number("size"),
        content=fields.digest("content") if kind == EntryKind.FILE else fields.text("content"),
        modified_ns=None if fields.has_no("modified_ns") else fields.number("modified_ns", least=_LEAST),
    )


class _Fields:
    """What a document holds, each field of the kind it has to be."""

    def __init__(self, data: str | bytes, what: str) -> None:
        self._what = what
        try:
            found = read_json(data)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self.damaged("")
        self._found = found

    def damaged(self, name: str) -> ArtifactError:
        """Return the error that says so."""
        where = f": '{name}' is missing or wrong" if name else ""
        return ArtifactError(f"what the store has is no document of {self._what}{where}")

    def has_no(self, name: str) -> bool:
        """Tell whether a field is null or missing."""
        return self._found.get(name) is None

    def text(self, name: str) -> str:
        """Return a text."""
        value = self._found.get(name)
        if isinstance(value, str):
            return value
        raise self.damaged(name)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a content."""
        value = self.text(name)
        if is_digest(value):
            return value
        raise self.damaged(name)

    def number(self, name: str, *, least: int = 0) -> int:
        """Return a whole number of at most 64 bits."""
        value = self._found.get(name)
        if isinstance(value, int) and least <= value <= _MOST:
            return value
        raise self.damaged(name)

    def time(self, name: str) -> datetime:
        """Return a moment."""
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise self.damaged(name) from None
        if moment.tzinfo is None:
            raise self.damaged(name)
        return moment

    def step(self, name: str) -> StepRef:
        """Return a step."""
        match self._found.get(name):
            case [str(job), int(attempt), int(position)]:
                return StepRef(job, attempt, position)
            case _:
                raise self.damaged(name)
