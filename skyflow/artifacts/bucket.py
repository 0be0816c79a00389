"""Keeps objects in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

Contents are named by their digest, so whoever comes first with one is right, and coming second does no harm. Documents are
created only if there is none, which the service decides. An answer that got lost is looked up instead of trusted.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

from skyflow.artifacts.keys import blob_key
from skyflow.ports.artifacts import ArtifactError, Blob, SignedRequest, Stored

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Bucket

__all__ = ["BucketStore"]

_CHUNK_BYTES = 4 * 1024 * 1024
_SMALL_BYTES = 8 * 1024 * 1024
"""What is sent in one request; more goes in parts."""
_PART_BYTES = 16 * 1024 * 1024
_MOST_PARTS = 9_000
"""S3 takes 10,000 for one object, Google as many, Azure 50,000 blocks: what is larger goes in larger parts."""
_MOST_PENDING_BYTES = 96 * 1024 * 1024
"""So much of one content may be in memory, on its way."""
_FRESH = timedelta(hours=3)
"""Half of the time for which contents are safe that no document mentions yet: an older one is stored again."""
_TRIES = 3
_SIGNED_FOR = timedelta(hours=3)
"""How long others may begin a request that was signed for them."""
_PUT_HEADERS = {"AzureStore": (("x-ms-blob-type", "BlockBlob"),)}
"""What a service wants to be told with a content that is put in one request, by the name of its client."""
_MISSING = (NotFoundError, FileNotFoundError)


class BucketStore:
    """An object store in a bucket, below the prefix that `bucket` was made with."""

    def __init__(self, bucket: "Bucket", *, name: str) -> None:
        """Use a bucket.

        Args:
            bucket: from obstore.
            name: what it is called in messages.
        """
        self._bucket = bucket
        self._name = name

    def put_blob(self, source: Path, go_on: Callable[[int], None]) -> Blob:
        """Send a file, unless the bucket has its content already."""
        digest, size = _digest(source, go_on)
        key = blob_key(digest)
        with self._explained(key):
            if size <= _SMALL_BYTES:
                data = source.read_bytes()
                if not self._put_new(key, data) and not self._is_fresh(key, size):
                    obstore.put(self._bucket, key, data, mode="overwrite", use_multipart=False)
                go_on(size)
            elif not self._is_fresh(key, size):
                self._put_in_parts(source, key, size, go_on)
            else:
                go_on(size)
        return Blob(digest, size)

    def get_blob(self, digest: str, target: Path, go_on: Callable[[int], None]) -> None:
        """Fetch a content and check it; one that was damaged on the way is fetched again."""
        key = blob_key(digest)
        with self._explained(key):
            for _ in range(_TRIES):
                try:
                    if self._fetch(key, target, go_on) == digest:
                        return
                except _MISSING:
                    raise ArtifactError(f"the stored content {digest[:12]} is gone") from None
            self.delete(key)  # so that storing the same content again mends it
        raise ArtifactError(f"the stored content {digest[:12]} is damaged")

    def lacks(self, blob: Blob) -> bool:
        """Tell whether a content has to be sent."""
        key = blob_key(blob.digest)
        with self._explained(key):
            return not self._is_fresh(key, blob.size)

    def signed(self, method: str, digests: Sequence[str]) -> list[SignedRequest] | None:
        """Return requests for the service itself, signed with our credentials, which stay here."""
        keys = [blob_key(digest) for digest in digests]
        if not keys:
            return []
        try:
            urls = obstore.sign(cast("Any", self._bucket), cast('Literal["GET", "PUT"]', method), keys, _SIGNED_FOR)
        except (BaseError, ValueError, TypeError) as error:
            raise ArtifactError(f"{self._name}: nothing can be signed: {str(error).splitlines()[0]}") from error
        headers = _PUT_HEADERS.get(type(self._bucket).__name__, ()) if method == "PUT" else ()
        return [SignedRequest(url, headers) for url in urls]

    def create(self, key: str, data: bytes) -> bool:
        """Put an object where none is."""
        with self._explained(key):
            return self._put_new(key, data) or self._holds(key, data)  # the client asks again when an answer gets lost

    def replace(self, key: str, data: bytes) -> None:
        """Put an object in place of another."""
        with self._explained(key):
            obstore.put(self._bucket, key, data, mode="overwrite", use_multipart=False)

    def read(self, key: str) -> bytes | None:
        """Read an object."""
        with self._explained(key):
            try:
                return bytes(obstore.get(self._bucket, key).bytes())
            except _MISSING:
                return None

    def touch(self, key: str) -> None:
        """Put an object again as it is: a bucket has no other way to change its time."""
        data = self.read(key)
        if data is not None:
            self.replace(key, data)

    def delete(self, key: str) -> None:
        """Remove an object."""
        with self._explained(key):
            try:
                obstore.delete(self._bucket, key)
            except _MISSING:
                return

    def objects(self, prefix: str) -> Iterator[Stored]:
        """Yield the objects whose keys begin with a prefix, as the service lists them."""
        with self._explained(prefix):
            for page in obstore.list(self._bucket, prefix=prefix):
                for found in page:
                    yield Stored(found["path"], found["size"], found["last_modified"])

    def _put_in_parts(self, source: Path, key: str, size: int, go_on: Callable[[int], None]) -> None:
        pieces = _pieces(source, go_on)
        try:
            part = max(_PART_BYTES, -(-size // _MOST_PARTS))
            at_once = max(2, _MOST_PENDING_BYTES // part)
            obstore.put(self._bucket, key, pieces, use_multipart=True, chunk_size=part, max_concurrency=at_once)
        except BaseError:
            if not self._is_fresh(
                key, size
            ):  # else the answer to the last request got lost, and what it did cannot be done twice
                raise

    def _put_new(self, key: str, data: bytes) -> bool:
        try:
            obstore.put(self._bucket, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        except BaseError:
            if self._holds(key, data):  # it was stored, and the answer got lost
                return True
            raise
        return True

    def _holds(self, key: str, data: bytes) -> bool:
        try:
            return bytes(obstore.get(self._bucket, key).bytes()) == data
        except (BaseError, OSError):
            return False

    def _is_fresh(self, key: str, size: int) -> bool:
        """Tell whether a content is there, whole, and young enough to stay until a document mentions it."""
        try:
            found = obstore.head(self._bucket, key)
        except _MISSING:
            return False
        now = datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 -- compared with the clock of the service
        return found["size"] == size and found["last_modified"] > now - _FRESH

    def _fetch(self, key: str, target: Path, go_on: Callable[[int], None]) -> str:
        digest = hashlib.sha256()
        with target.open("wb") as writer:
            for piece in obstore.get(self._bucket, key).stream(min_chunk_size=_CHUNK_BYTES):
                data = memoryview(piece)
                go_on(len(data))
                digest.update(data)
                writer.write(data)
        return digest.hexdigest()

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        """Raise an OSError for whatever the service does not do."""
        try:
            yield
        except (BaseError, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:  # about a file of this machine
                raise
            first = str(error).strip().splitlines() or [type(error).__name__]
            raise OSError(f"{self._name} does not do what it is asked for '{key}': {first[0]}") from error


def _digest(source: Path, go_on: Callable[[int], None]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for piece in _pieces(source, lambda _: go_on(0)):  # nothing is moved yet
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _pieces(source: Path, go_on: Callable[[int], None]) -> Iterator[bytes]:
    with source.open("rb") as reader:
        while piece := reader.read(_CHUNK_BYTES):
            go_on(len(piece))
            yield piece
