"""Where artifacts and caches are kept, and what that needs of a place such as a folder or a bucket."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from skyflow.model.artifacts import Artifact, CachedTree, Entry, NewArtifact, Source
from skyflow.model.execution import StepRef

__all__ = [
    "ArtifactError",
    "ArtifactStore",
    "ArtifactsFor",
    "Blob",
    "CacheStore",
    "ContentStore",
    "ObjectStore",
    "SignedRequest",
    "Stored",
]


class ArtifactError(Exception):
    """Something cannot be stored or restored; the message is for the user."""


class ArtifactStore(Protocol):
    """The artifacts of runs. Every method can be cancelled, and leaves nothing half stored then."""

    async def upload(self, new: NewArtifact, *, moved: Callable[[int], None] | None = None) -> Artifact:
        """Store files under a name. Links are followed: what is stored are the files they lead to.

        `moved` is told how many bytes have been stored since the last time.

        An artifact with the name is replaced if that says so, or if an earlier attempt at the same job has stored it.

        Raises:
            ArtifactError: the name is not valid or taken, or a file cannot be read or stored.
        """
        ...

    async def enter(self, new: NewArtifact, entries: Sequence[Entry]) -> Artifact:
        """Store a list of files under a name whose contents are in the store already; else as `upload`.

        Raises:
            ArtifactError: the name is not valid or taken, or the list cannot be stored.
        """
        ...

    async def artifacts(self, run: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a run that have not expired, by name.

        Raises:
            ArtifactError: the store cannot be read.
        """
        ...

    async def download(self, artifact: Artifact, folder: Path, *, moved: Callable[[int], None] | None = None) -> None:
        """Write the files of an artifact into a folder, over those that are there; `moved` is as for `upload`.

        Raises:
            ArtifactError: a file is gone or damaged, cannot be written, or would come to lie outside the folder.
        """
        ...


ArtifactsFor = Callable[[StepRef, Callable[[str], None]], ArtifactStore]
"""The artifacts of a run as a step has them; the function takes lines about what is moved."""


class CacheStore(Protocol):
    """The caches of a project. Every method can be cancelled, and leaves nothing half stored then."""

    async def find(self, keys: Sequence[str], *, version: str, scopes: Sequence[str]) -> CachedTree | None:
        """Return the cache that the keys stand for.

        In the first scope that has any: the one whose key is the first key, else the newest whose key begins with it,
        else the newest whose key begins with the second, and so on.

        Raises:
            ArtifactError: a key is not valid, or the store cannot be read.
        """
        ...

    async def save(self, key: str, sources: Sequence[Source], *, version: str, scope: str) -> CachedTree | None:
        """Store files, folders and links as they are; None if the key is taken, for a key keeps its content.

        Raises:
            ArtifactError: the key is not valid, or a file cannot be read or stored.
        """
        ...

    async def restore(self, cached: CachedTree, anchors: Mapping[str, Path], allowed: Sequence[Path]) -> None:
        """Put a cache back.

        Args:
            cached: what to restore.
            anchors: the folder that the first name of a stored path stands for.
            allowed: the paths at or below which everything must come to lie.

        Raises:
            ArtifactError: a file is gone or damaged, cannot be written, or would come to lie elsewhere.
        """
        ...


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored content, which its SHA-256 names."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What whoever has it may ask a store for, until it expires, without credentials; `headers` have to come with it."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()


class ContentStore(Protocol):
    """The contents of one store, one by one, for whoever moves them between it and other machines."""

    async def lacks(self, blobs: Sequence[Blob]) -> list[Blob]:
        """Return the contents that have to be stored, each once: they are not there, or too old to stay.

        Raises:
            ArtifactError: the store cannot be read.
        """
        ...

    async def signed(self, method: str, digests: Sequence[str]) -> list[SignedRequest] | None:
        """Return requests that GET or PUT contents; None where only we can reach the store.

        Raises:
            ArtifactError: there is nothing to sign them with.
        """
        ...

    async def put(self, source: Path) -> Blob:
        """Store the content of a file here.

        Raises:
            ArtifactError: it cannot be read or stored.
        """
        ...

    async def read(self, digest: str, target: Path) -> None:
        """Write a content to a file here, which is made for it.

        Raises:
            ArtifactError: it is gone or damaged, or cannot be read.
        """
        ...

    async def forget(self, digests: Sequence[str]) -> None:
        """Remove contents that are not what their digests say.

        Raises:
            ArtifactError: the store cannot be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """One object of a store."""

    key: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """A place that keeps bytes under keys such as `runs/x/y.json`: a folder, or a bucket of an object store.

    Methods block; they are called in worker threads, and call `go_on` now and then with the number of bytes that have been
    moved since the last time, which raises to give up. Every method raises OSError if the place cannot be used.
    """

    def put_blob(self, source: Path, go_on: Callable[[int], None]) -> Blob:
        """Store the content of a file under its digest; one that is there already counts as new."""
        ...

    def get_blob(self, digest: str, target: Path, go_on: Callable[[int], None]) -> None:
        """Write stored content to a file that is empty.

        Raises:
            ArtifactError: it is not there, or is not what its digest says.
        """
        ...

    def lacks(self, blob: Blob) -> bool:
        """Tell whether a content has to be stored: it is not there, not whole, or too old to stay until it is mentioned."""
        ...

    def signed(self, method: str, digests: Sequence[str]) -> list[SignedRequest] | None:
        """Return requests with which anybody can GET or PUT contents for a time; None where only we reach the place.

        Raises:
            ArtifactError: there is nothing to sign them with.
        """
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Store bytes under a key that nothing is stored under yet; False if something else is.

        The very same bytes may count as stored now: over a network nobody can tell whose they are.
        """
        ...

    def replace(self, key: str, data: bytes) -> None:
        """Store bytes under a key, whatever was there."""
        ...

    def read(self, key: str) -> bytes | None:
        """Return the bytes under a key, or None."""
        ...

    def touch(self, key: str) -> None:
        """Make an object count as just modified; harmless if there is none."""
        ...

    def delete(self, key: str) -> None:
        """Forget a key; harmless if there is nothing under it."""
        ...

    def objects(self, prefix: str) -> Iterator[Stored]:
        """Yield what is stored under keys that begin with a prefix, which ends with `/`."""
        ...
