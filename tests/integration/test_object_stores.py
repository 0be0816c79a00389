"""Every object store does what one has to do, and buckets while the network and the service fail."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.store import GCSStore
from testbed.object_server import Fault, FaultProxy, ObjectServer

from skyflow.artifacts.bucket import BucketStore
from skyflow.artifacts.folder import FolderStore
from skyflow.artifacts.places import open_place
from skyflow.errors import UsageError
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.testing.stores import ObjectStoreConformance


def go_on(_: int) -> None:
    pass


class TestFolder(ObjectStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ObjectStore:
        return FolderStore(tmp_path / "store")


class TestBucket(ObjectStoreConformance):
    @pytest.fixture
    def store(self, bucket: str) -> ObjectStore:
        return open_place(bucket)


@pytest.fixture(scope="module")
def gcs_server() -> Iterator[ObjectServer]:
    pytest.importorskip("moto")
    server = ObjectServer("testbed.gcs_server")
    yield server
    server.close()


class TestGoogleBucket(ObjectStoreConformance):
    @pytest.fixture
    def store(self, gcs_server: ObjectServer, tmp_path: Path) -> ObjectStore:
        name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
        gcs_server.make_bucket(name)
        key = {
            "gcs_base_url": f"http://127.0.0.1:{gcs_server.port}",
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
        bucket = GCSStore(
            name, prefix="some/prefix", service_account_key=json.dumps(key), client_options={"allow_http": True}
        )
        return BucketStore(bucket, name=f"gs://{name}")

    @pytest.mark.skip(reason="this client signs for Google with a login there, or by asking Google")
    def test_whoever_has_a_signed_request_needs_nothing_else(self) -> None: ...


@pytest.fixture
def store(bucket: str) -> ObjectStore:
    return open_place(bucket)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    path.write_bytes(b"content" * 1000)
    return path


def puts(method: str, path: str) -> bool:
    return method == "PUT"


def gets(method: str, path: str) -> bool:
    return method == "GET" and "list-type" not in path


@pytest.mark.parametrize("kind", ["error", "reset", "lost"])
def test_a_create_that_fails_on_the_way_is_done_once(store, fault_proxy: FaultProxy, kind: str) -> None:
    fault_proxy.faults.append(Fault(kind, puts))
    assert store.create("runs/x/a.json", b"mine")
    assert not store.create("runs/x/a.json", b"other")
    assert store.read("runs/x/a.json") == b"mine"


@pytest.mark.parametrize("kind", ["error", "reset", "lost"])
def test_a_content_that_is_stored_over_a_bad_line_arrives(
    store, fault_proxy: FaultProxy, small: Path, kind: str
) -> None:
    fault_proxy.faults.append(Fault(kind, puts, times=2))
    blob = store.put_blob(small, go_on)
    store.get_blob(blob.digest, small.with_name("back"), go_on)
    assert small.with_name("back").read_bytes() == small.read_bytes()


@pytest.mark.parametrize("kind", ["error", "reset", "cut", "spoil"])
def test_a_content_that_is_fetched_over_a_bad_line_is_right(
    store, fault_proxy: FaultProxy, small: Path, kind: str
) -> None:
    blob = store.put_blob(small, go_on)
    fault_proxy.faults.append(Fault(kind, gets))
    store.get_blob(blob.digest, small.with_name("back"), go_on)
    assert small.with_name("back").read_bytes() == small.read_bytes()


def test_a_large_content_is_sent_in_parts_each_of_which_may_fail(
    store, fault_proxy: FaultProxy, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(range(256)) * 120_000)
    fault_proxy.faults += [
        Fault("error", lambda method, path: puts(method, path) and "partNumber=1" in path),
        Fault("lost", lambda method, path: puts(method, path) and "partNumber=2" in path),
        Fault("lost", lambda method, path: method == "POST" and "uploadId=" in path),
    ]
    blob = store.put_blob(large, go_on)
    assert {path.partition("partNumber=")[2][:1] for _, path in fault_proxy.seen} >= {"1", "2"}
    store.get_blob(blob.digest, tmp_path / "back", go_on)
    assert (tmp_path / "back").read_bytes() == large.read_bytes()


def test_a_content_that_stays_wrong_is_never_taken_for_right(store, fault_proxy: FaultProxy, small: Path) -> None:
    blob = store.put_blob(small, go_on)
    fault_proxy.faults.append(Fault("spoil", gets, times=100))
    with pytest.raises(ArtifactError, match="is damaged"):
        store.get_blob(blob.digest, small.with_name("back"), go_on)


def test_a_content_that_is_there_is_not_sent_again(store, fault_proxy: FaultProxy, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * 20_000_000)
    store.put_blob(large, go_on)
    fault_proxy.seen.clear()
    store.put_blob(large, go_on)
    assert [method for method, _ in fault_proxy.seen] == ["HEAD"]


def test_a_service_that_says_no_says_why(store, fault_proxy: FaultProxy, small: Path, bucket: str) -> None:
    missing = open_place(bucket.replace("s3://", "s3://no-such-"))
    with pytest.raises(OSError, match="does not do what it is asked"):
        missing.create("runs/a", b"")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://x/y", "names no store"),
        ("s3:///y", "names no bucket"),
    ],
)
def test_a_place_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        open_place(text)


def test_a_path_is_a_folder(tmp_path: Path) -> None:
    for text in (str(tmp_path / "a"), f"file://{tmp_path}/a"):
        assert open_place(text).create("runs/x", b"y") == (text == str(tmp_path / "a"))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_neither_loses_a_content_nor_sends_it_again(  # noqa: PLR0917 -- fixtures
    store, fault_proxy: FaultProxy, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Of this machine, or of the service: only the difference counts."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + hours * 3600)
    blob = store.put_blob(small, go_on)
    before = len(fault_proxy.seen)
    assert store.put_blob(small, go_on) == blob
    sent = [method for method, _ in fault_proxy.seen[before:]]
    assert sent.count("PUT") == 1  # the one that would have created it, had it not been there
    store.get_blob(blob.digest, tmp_path / "back", go_on)
    assert (tmp_path / "back").read_bytes() == small.read_bytes()
