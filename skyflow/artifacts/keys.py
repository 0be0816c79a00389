"""The keys of a store: what lies where, whatever kind of store it is.

- `blobs/DI/DIGEST`: contents of files, and lists of entries, under their SHA-256
- `runs/RUN/NAME.json`: artifacts
- `caches/NAME.json`: caches
- `checkpoints/NAME.json`: what jobs of runs go on from

Names and keys that users choose are hashed, so that no file system is too small for them.
"""

import hashlib
import re

from skyflow.ports.artifacts import ArtifactError

__all__ = [
    "BLOBS",
    "CACHES",
    "CHECKPOINTS",
    "RUNS",
    "artifact_id",
    "artifact_key",
    "blob_digest",
    "blob_key",
    "cache_key",
    "checkpoint_key",
    "is_digest",
    "run_prefix",
]

_ID_DIGITS = 12
"""In hexadecimal: few enough for every JSON reader, many enough that two artifacts hardly share them."""

_DIGEST = re.compile("[0-9a-f]{64}")
BLOBS = "blobs/"
RUNS = "runs/"
CACHES = "caches/"
CHECKPOINTS = "checkpoints/"


def is_digest(text: str) -> bool:
    """Tell whether a text is the SHA-256 of a content: nothing else ever becomes part of a path."""
    return _DIGEST.fullmatch(text) is not None


def blob_key(digest: str) -> str:
    """Return the key of a content.

    Raises:
        ArtifactError: it is no digest, and could lead anywhere.
    """
    if not is_digest(digest):
        raise ArtifactError(f"'{digest[:80]}' names no stored content")
    return f"{BLOBS}{digest[:2]}/{digest}"


def blob_digest(key: str) -> str:
    """Return the digest of the content under a key."""
    return key.rpartition("/")[2]


def artifact_key(run: str, name: str) -> str:
    """Return the key of an artifact."""
    return f"{run_prefix(run)}{_hashed(name)}.json"


def artifact_id(run: str, name: str, tree: str) -> int:
    """Return the number by which an artifact can be asked for."""
    return int(_hashed(run, name, tree)[:_ID_DIGITS], 16)


def run_prefix(run: str) -> str:
    """Return what the keys of all artifacts of a run begin with; a run that users name may contain anything."""
    return f"{RUNS}{run if run.replace('-', '').isalnum() else _hashed(run)}/"


def cache_key(key: str, *, version: str, scope: str) -> str:
    """Return the key of a cache."""
    return f"{CACHES}{_hashed(scope, version, key)}.json"


def checkpoint_key(run: str, job: str) -> str:
    """Return the key of what a job of a run goes on from."""
    return f"{CHECKPOINTS}{_hashed(run, job)}.json"


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:40]
