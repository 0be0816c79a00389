"""Azure Blob Storage, against a server that is held against Microsoft's own client, while network and service fail."""

import base64
import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient
from testbed.azure_server import ACCOUNT, KEY
from testbed.object_server import Fault, FaultProxy, ObjectServer

from skyflow.artifacts.keys import blob_key
from skyflow.artifacts.places import open_place
from skyflow.errors import UsageError
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.testing.stores import ObjectStoreConformance

WRONG_KEY = base64.b64encode(bytes(64)).decode()
LARGE = bytes(range(256)) * 120_000


def go_on(_: int) -> None:
    pass


class TestAzureContainer(ObjectStoreConformance):
    @pytest.fixture
    def store(self, azure_container: str) -> ObjectStore:
        return open_place(azure_container)


@pytest.fixture
def store(azure_container: str) -> ObjectStore:
    return open_place(azure_container)


@pytest.fixture
def microsofts(azure_server: ObjectServer, azure_container: str) -> Iterator[ContainerClient]:
    """The same container by Microsoft's client."""
    with BlobServiceClient(f"http://127.0.0.1:{azure_server.port}/{ACCOUNT}", credential=KEY) as service:
        yield service.get_container_client(azure_container.split("/")[3])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small"
    path.write_bytes(b"content" * 1000)
    return path


def puts(method: str, path: str) -> bool:
    return method == "PUT"


def gets(method: str, path: str) -> bool:
    return method == "GET" and "comp=list" not in path


def test_what_we_store_is_what_microsofts_client_reads(store, microsofts, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(LARGE)
    digest = store.put_blob(large, go_on).digest
    for number in range(5):
        store.create(f"runs/x y/{number}.json", b"%d" % number)
    assert microsofts.download_blob(f"some/prefix/blobs/{digest[:2]}/{digest}").readall() == LARGE
    listed = {blob.name: blob.size for blob in microsofts.list_blobs(name_starts_with="some/prefix/runs/")}
    assert listed == {f"some/prefix/runs/x y/{number}.json": 1 for number in range(5)}
    assert len(list(store.objects("runs/x y/"))) == 5  # in several pages
    with pytest.raises(ResourceExistsError):
        microsofts.upload_blob("some/prefix/runs/x y/1.json", b"other")


def test_what_microsofts_client_stores_is_what_we_read(store, microsofts) -> None:
    blob = microsofts.get_blob_client("some/prefix/runs/a")
    blob.stage_block("aaaa", b"one")
    blob.stage_block("bbbb", b"two")
    blob.commit_block_list([BlobBlock("bbbb"), BlobBlock("aaaa")])
    assert store.read("runs/a") == b"twoone"
    assert blob.download_blob(offset=1, length=3).readall() == b"woo"
    assert [each.name for each in microsofts.walk_blobs("some/prefix/")] == ["some/prefix/runs/"]
    microsofts.delete_blobs("some/prefix/runs/a")
    assert store.read("runs/a") is None
    store.create("runs/b", b"")
    store.delete("runs/b")
    with pytest.raises(HttpResponseError):
        blob.download_blob()


def test_the_server_refuses_what_the_service_would(azure_server: ObjectServer, microsofts) -> None:
    with BlobServiceClient(f"http://127.0.0.1:{azure_server.port}/{ACCOUNT}", credential=WRONG_KEY) as service:
        wrong = service.get_container_client(microsofts.container_name)
        with pytest.raises(HttpResponseError, match="AuthenticationFailed"):
            wrong.upload_blob("a", b"")
    blob = microsofts.get_blob_client("a")
    blob.stage_block("aaaa", b"one")
    with pytest.raises(HttpResponseError, match="InvalidBlobOrBlock"):
        blob.stage_block("much longer", b"two")
    with pytest.raises(HttpResponseError, match="InvalidBlockList"):
        blob.commit_block_list([BlobBlock("cccc")])
    with pytest.raises(HttpResponseError, match="InvalidHeaderValue"):
        microsofts.upload_blob("a", b"", headers={"x-ms-unheard-of": "1"})


@pytest.mark.parametrize("kind", ["error", "reset", "lost", "hang"])
def test_a_create_that_fails_on_the_way_is_done_once(store, azure_proxy: FaultProxy, kind: str) -> None:
    azure_proxy.faults.append(Fault(kind, puts, seconds=0.5))
    assert store.create("runs/x/a.json", b"mine")
    assert not store.create("runs/x/a.json", b"other")
    assert store.read("runs/x/a.json") == b"mine"


@pytest.mark.parametrize("kind", ["error", "reset", "lost", "hang"])
def test_a_content_that_is_stored_over_a_bad_line_arrives(
    store, azure_proxy: FaultProxy, small: Path, kind: str
) -> None:
    azure_proxy.faults.append(Fault(kind, puts, times=2, seconds=0.5))
    blob = store.put_blob(small, go_on)
    store.get_blob(blob.digest, small.with_name("back"), go_on)
    assert small.with_name("back").read_bytes() == small.read_bytes()


@pytest.mark.parametrize("kind", ["error", "reset", "cut", "spoil", "hang"])
def test_a_content_that_is_fetched_over_a_bad_line_is_right(
    store, azure_proxy: FaultProxy, small: Path, kind: str
) -> None:
    blob = store.put_blob(small, go_on)
    azure_proxy.faults.append(Fault(kind, gets, seconds=0.5))
    store.get_blob(blob.digest, small.with_name("back"), go_on)
    assert small.with_name("back").read_bytes() == small.read_bytes()


def test_a_large_content_is_sent_in_blocks_each_of_which_may_fail(
    store, azure_proxy: FaultProxy, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(LARGE)
    azure_proxy.faults += [
        Fault("error", lambda method, path: puts(method, path) and "comp=block&" in path),
        Fault("lost", lambda method, path: puts(method, path) and "comp=block&" in path),
        Fault("lost", lambda method, path: puts(method, path) and "comp=blocklist" in path),
    ]
    blob = store.put_blob(large, go_on)
    store.get_blob(blob.digest, tmp_path / "back", go_on)
    assert (tmp_path / "back").read_bytes() == LARGE
    assert blob.digest == hashlib.sha256(LARGE).hexdigest()


def test_a_content_that_stays_wrong_is_never_taken_for_right(store, azure_proxy: FaultProxy, small: Path) -> None:
    blob = store.put_blob(small, go_on)
    azure_proxy.faults.append(Fault("spoil", gets, times=100))
    with pytest.raises(ArtifactError, match="is damaged"):
        store.get_blob(blob.digest, small.with_name("back"), go_on)


def test_a_key_that_is_wrong_or_a_container_that_is_not_there_says_so(azure_container: str, monkeypatch) -> None:
    with pytest.raises(OSError, match="ContainerNotFound"):
        open_place(azure_container.replace("/some/prefix", "x")).create("runs/a", b"")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", WRONG_KEY)
    with pytest.raises(OSError, match=r"AuthenticationFailed|does not do what it is asked"):
        open_place(azure_container).create("runs/a", b"")


def test_a_url_without_a_container_is_refused() -> None:
    for text in ("az://account", "az://account/"):
        with pytest.raises(UsageError, match="names no container"):
            open_place(text)


def test_what_is_signed_is_what_microsoft_signs(store: ObjectStore, microsofts: ContainerClient, small: Path) -> None:
    """The server takes what Microsoft's own function signs; with another key, for another blob or too late it refuses."""
    from azure.storage.blob import BlobSasPermissions, generate_blob_sas

    blob = store.put_blob(small, go_on)
    name = f"some/prefix/{blob_key(blob.digest)}"

    def read(*, key: str = KEY, of: str = name, minutes: int = 5) -> bytes:
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        query = generate_blob_sas(
            ACCOUNT, microsofts.container_name, of, account_key=key, permission=BlobSasPermissions(read=True),
            expiry=until, start=until - timedelta(hours=1), version="2023-11-03",
        )  # fmt: skip
        with urllib.request.urlopen(f"{microsofts.url}/{name}?{query}", timeout=60) as answer:
            return answer.read()

    assert read() == small.read_bytes()
    for wrong in ({"key": WRONG_KEY}, {"of": "other"}, {"minutes": -1}):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            read(**wrong)
