"""What every object store has to do."""

import hashlib
import threading
from dataclasses import asdict
from pathlib import Path

from skyflow.ports.artifacts import ArtifactError, Blob, ObjectStore
from skyflow.runners.onhost.bucket import get_all, put_all
from skyflow.runners.onhost.data import RunData

__all__ = ["ObjectStoreConformance"]

_LARGE_BYTES = 20 * 1024 * 1024


def _go_on(_: int) -> None:
    pass


class _GivenUpError(Exception):
    pass


def _give_up(_: int) -> None:
    raise _GivenUpError


class ObjectStoreConformance:
    """Give a fixture `store` that is empty."""

    def test_what_is_not_there_is_none(self, store: ObjectStore) -> None:
        """And can be deleted and touched."""
        assert store.read("runs/a/b.json") is None
        store.delete("runs/a/b.json")
        store.touch("runs/a/b.json")
        assert list(store.objects("runs/")) == []

    def test_a_key_is_created_once(self, store: ObjectStore) -> None:
        """The first content stays."""
        assert store.create("runs/a/b.json", b"one")
        assert not store.create("runs/a/b.json", b"two")
        assert store.read("runs/a/b.json") == b"one"

    def test_a_key_that_many_create_at_once_is_created_by_one(self, store: ObjectStore) -> None:
        """The store decides who."""
        begin, results = threading.Barrier(8), []

        def create(number: int) -> None:
            begin.wait()
            results.append((store.create("runs/race", str(number).encode()), number))

        threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [winner] = [number for is_first, number in results if is_first]
        assert store.read("runs/race") == str(winner).encode()

    def test_a_key_is_replaced_and_deleted(self, store: ObjectStore) -> None:
        """Whatever was there."""
        store.replace("caches/x.json", b"one")
        store.replace("caches/x.json", b"")
        assert store.read("caches/x.json") == b""
        store.touch("caches/x.json")
        store.delete("caches/x.json")
        assert store.read("caches/x.json") is None

    def test_objects_are_listed_by_prefix(self, store: ObjectStore) -> None:
        """With their sizes; what only begins like the prefix is not below it."""
        for key in ("runs/a/1.json", "runs/a/2.json", "runs/ab/1.json", "caches/1.json"):
            store.create(key, key.encode())
        listed = {stored.key: stored.size for stored in store.objects("runs/a/")}
        assert listed == {"runs/a/1.json": 13, "runs/a/2.json": 13}
        assert all(stored.modified.tzinfo is not None for stored in store.objects("runs/"))

    def test_contents_come_back_as_they_were(self, store: ObjectStore, tmp_path: Path) -> None:
        """Nothing, little, and more than fits into one request."""
        for name, content in (("empty", b""), ("little", b"x"), ("large", bytes(range(256)) * (_LARGE_BYTES // 256))):
            source, target = tmp_path / name, tmp_path / f"{name}.back"
            source.write_bytes(content)
            blob = store.put_blob(source, _go_on)
            assert (blob.digest, blob.size) == (hashlib.sha256(content).hexdigest(), len(content))
            assert store.put_blob(source, _go_on) == blob
            store.get_blob(blob.digest, target, _go_on)
            assert target.read_bytes() == content

    def test_a_content_that_is_gone_is_an_error(self, store: ObjectStore, tmp_path: Path) -> None:
        """Which says so."""
        try:
            store.get_blob("0" * 64, tmp_path / "back", _go_on)
        except ArtifactError as error:
            assert "is gone" in str(error)  # noqa: PT017 -- pytest is not imported by what is installed
        else:
            raise AssertionError("no error")

    def test_a_damaged_content_is_an_error_and_can_be_mended(self, store: ObjectStore, tmp_path: Path) -> None:
        """By storing the same content again."""
        source, target = tmp_path / "source", tmp_path / "back"
        source.write_bytes(b"right")
        blob = store.put_blob(source, _go_on)
        [key] = [stored.key for stored in store.objects("blobs/")]
        store.replace(key, b"wrong")
        try:
            store.get_blob(blob.digest, target, _go_on)
        except ArtifactError as error:
            assert "is damaged" in str(error)  # noqa: PT017
        else:
            raise AssertionError("no error")
        store.put_blob(source, _go_on)
        store.get_blob(blob.digest, target, _go_on)
        assert target.read_bytes() == b"right"

    def test_what_has_to_be_stored_is_known(self, store: ObjectStore, tmp_path: Path) -> None:
        """That which is not there, or not whole."""
        source = tmp_path / "source"
        source.write_bytes(b"content")
        digest = hashlib.sha256(b"content").hexdigest()
        assert store.lacks(Blob(digest, 7))
        assert store.put_blob(source, _go_on) == Blob(digest, 7)
        assert not store.lacks(Blob(digest, 7))
        assert store.lacks(Blob(digest, 8))

    def test_whoever_has_a_signed_request_needs_nothing_else(self, store: ObjectStore, tmp_path: Path) -> None:
        """What it puts is there for us, and what we have put it can get; a store that only we reach signs none."""
        contents = {hashlib.sha256(data).hexdigest(): data for data in (b"", b"one", bytes(range(256)) * 4096)}
        digests = sorted(contents)
        if store.signed("PUT", digests) is None:
            return
        blobs = [
            {"name": digest, "digest": digest, "size": len(contents[digest]), **asdict(request)}
            for digest, request in zip(digests, store.signed("PUT", digests) or (), strict=True)
        ]
        for digest, data in contents.items():
            (tmp_path / digest).write_bytes(data)
        moved: list[int] = []
        assert put_all(str(tmp_path), blobs, moved.append) == {"left": [], "spoiled": [], "why": ""}
        assert sum(moved) == sum(map(len, contents.values()))
        for digest, data in contents.items():
            store.get_blob(digest, tmp_path / "back", _go_on)
            assert (tmp_path / "back").read_bytes() == data
            assert not store.lacks(Blob(digest, len(data)))
        asked = zip(blobs, store.signed("GET", digests) or (), strict=True)
        there = RunData(str(tmp_path / "run"))
        assert get_all(there, [{**blob, **asdict(request)} for blob, request in asked], _go_on)["left"] == []
        assert there.missing(digests) == []

    def test_work_is_given_up_when_asked(self, store: ObjectStore, tmp_path: Path) -> None:
        """And nothing can be seen of it."""
        source = tmp_path / "source"
        source.write_bytes(b"x" * _LARGE_BYTES)
        try:
            store.put_blob(source, _give_up)
        except _GivenUpError:
            assert list(store.objects("blobs/")) == []
        else:
            raise AssertionError("no error")
