"""Artifacts and caches: trees of files that outlive the job that made them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from skyflow.model.execution import StepRef

__all__ = [
    "LONGEST_CACHE_KEY",
    "MOST_CACHE_KEYS",
    "Artifact",
    "CachedTree",
    "Checkpoint",
    "Entry",
    "EntryKind",
    "NewArtifact",
    "Source",
    "artifact_name_problem",
    "cache_key_problem",
    "is_safe_path",
    "parse_inner_path",
]

LONGEST_CACHE_KEY = 512
MOST_CACHE_KEYS = 10
"""GitHub's limits: characters of a key, and how many keys one lookup may name."""

_FORBIDDEN_IN_NAMES = re.compile(r'["<>|:*?\\/\r\n\0]')


class EntryKind(StrEnum):
    """What an entry of a stored tree is."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a stored tree.

    `path` is relative, with `/` between names. `content` is the SHA-256 of a file, or where a link points.
    `modified_ns` is None where times are not kept.
    """

    path: str
    kind: EntryKind
    mode: int = 0o644
    size: int = 0
    content: str = ""
    modified_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file, link or folder of this machine that is to be stored as `path`."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArtifact:
    """What a step of a run wants to store under a name, for so many days; `overwrite` lets it replace what has the name.

    `store` is the name of the store that it goes to.
    """

    run: str
    name: str
    sources: Sequence[Source]
    by: StepRef
    retention_days: int
    overwrite: bool = False
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A named tree that belongs to a run. `tree` is the digest under which its list of entries is stored, in `store`."""

    id: int
    name: str
    run: str
    by: StepRef
    created: datetime
    expires: datetime
    size: int
    tree: str
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a job of a run last kept to go on from, in `store`. `was_here` tells that it is from this machine."""

    run: str
    job: str
    attempt: int
    was_here: bool
    created: datetime
    size: int
    tree: str
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedTree:
    """A tree that later runs may restore; its key never gets another content.

    `version` tells caches apart that have the same key and different paths. Only a lookup that names its `scope` sees it.
    """

    key: str
    version: str
    scope: str
    created: datetime
    size: int
    tree: str


def artifact_name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an artifact by GitHub's rules, or None."""
    if not name.strip():
        return "the name of an artifact cannot be empty"
    found = _FORBIDDEN_IN_NAMES.search(name)
    if found:
        return f"the name of an artifact cannot contain {found[0]!r}: {name!r}"
    return None


def cache_key_problem(key: str) -> str | None:
    """Return what is wrong with the key of a cache by GitHub's rules, or None."""
    if not key:
        return "the key of a cache cannot be empty"
    if len(key) > LONGEST_CACHE_KEY:
        return f"the key of a cache has at most {LONGEST_CACHE_KEY} characters, and this one has {len(key)}"
    if "," in key:
        return f"the key of a cache cannot contain a comma: '{key}'"
    return None


def is_safe_path(path: str) -> bool:
    """Tell whether a stored path stays below the folder it is restored into, by its words alone."""
    return "\0" not in path and all(name not in {"", ".", ".."} for name in path.split("/"))


def parse_inner_path(text: str) -> str:
    """Read the path of something in the workspace, without `./` in front or `/` behind.

    Raises:
        ValueError: it leads out of it, or is the workspace itself.
    """
    path = text.removeprefix("./").rstrip("/")
    if not path or not is_safe_path(path):
        raise ValueError(f"'{text}' is no path inside of the workspace; write for example build/checkpoints")
    return path
