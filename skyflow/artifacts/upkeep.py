"""Getting rid of what is no longer wanted: expired artifacts, caches that nobody uses."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from skyflow.artifacts.documents import read_artifact, read_cache, read_checkpoint
from skyflow.artifacts.keys import BLOBS, CACHES, CHECKPOINTS, RUNS, blob_digest
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import read_tree
from skyflow.model.artifacts import Artifact, CachedTree, Checkpoint, EntryKind
from skyflow.ports.artifacts import ArtifactError, ObjectStore, Stored

__all__ = ["CACHE_LIMIT_BYTES", "CHECKPOINT_DAYS", "UNUSED_CACHE_DAYS", "prune"]

CACHE_LIMIT_BYTES = 10 * 1024**3
UNUSED_CACHE_DAYS = 7
"""GitHub's limits for the caches of a repository."""

CHECKPOINT_DAYS = 30
"""How long a job that has not ended well can be taken up again from where it was."""

_GRACE = timedelta(hours=6)
"""Contents are stored before the document that mentions them; so young ones may be about to be mentioned."""

_Document = TypeVar("_Document", Artifact, CachedTree, Checkpoint)


async def prune(objects: ObjectStore, now: datetime, *, cache_limit_bytes: int = CACHE_LIMIT_BYTES) -> int:
    """Remove artifacts and checkpoints that have expired, unused or too many caches, and what only they needed.

    Returns:
        How many bytes of contents were removed.

    Raises:
        ArtifactError: the store cannot be read or written.
    """

    def work(go_on: Callable[[int], None]) -> int:
        wanted: set[str] = set()
        for stored, artifact in _read_all(objects, RUNS, read_artifact, go_on):
            contents = _contents(objects, artifact.tree, go_on) if artifact.expires > now else None
            wanted |= _keep_or_delete(objects, stored, contents)
        for stored, checkpoint in _read_all(objects, CHECKPOINTS, read_checkpoint, go_on):
            is_old = checkpoint.created < now - timedelta(days=CHECKPOINT_DAYS)
            wanted |= _keep_or_delete(objects, stored, None if is_old else _contents(objects, checkpoint.tree, go_on))
        room = cache_limit_bytes
        caches = list(_read_all(objects, CACHES, read_cache, go_on))
        for stored, cached in sorted(caches, key=lambda pair: pair[0].modified, reverse=True):
            room -= cached.size
            stays = room >= 0 and stored.modified >= now - timedelta(days=UNUSED_CACHE_DAYS)
            wanted |= _keep_or_delete(objects, stored, _contents(objects, cached.tree, go_on) if stays else None)
        folders = {blob.key.rpartition("/")[0] for blob in _unwanted(objects, BLOBS, wanted, now, go_on)}
        removed = 0
        for folder in sorted(folders):
            # looked at again: by the end of a long list, somebody may have stored what was old at its beginning
            for blob in list(_unwanted(objects, f"{folder}/", wanted, now, go_on)):
                objects.delete(blob.key)
                removed += blob.size
        return removed

    return await in_thread(work)


def _unwanted(
    objects: ObjectStore, prefix: str, wanted: Collection[str], now: datetime, go_on: Callable[[int], None]
) -> Iterator[Stored]:
    """Yield the contents that nothing mentions, and that are too old to be about to be mentioned."""
    for blob in objects.objects(prefix):
        go_on(0)
        if blob_digest(blob.key) not in wanted and blob.modified < now - _GRACE:
            yield blob


def _keep_or_delete(objects: ObjectStore, stored: Stored, contents: set[str] | None) -> set[str]:
    """Delete a document without contents; return what is needed for the others."""
    if contents is None:
        objects.delete(stored.key)
    return contents or set()


def _contents(objects: ObjectStore, tree: str, go_on: Callable[[int], None]) -> set[str] | None:
    """Return the digests of everything a tree needs, or None for one that cannot be restored any more."""
    try:
        return {tree, *(entry.content for entry in read_tree(objects, tree, go_on) if entry.kind is EntryKind.FILE)}
    except ArtifactError:
        return None


def _read_all(
    objects: ObjectStore, prefix: str, read: Callable[[bytes], _Document], go_on: Callable[[int], None]
) -> Iterable[tuple[Stored, _Document]]:
    for stored in objects.objects(prefix):
        go_on(0)
        data = objects.read(stored.key)
        if data is not None:
            yield stored, read(data)
