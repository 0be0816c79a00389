"""Which way contents of a machine go into a store: straight, where a service takes them in one request."""

from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from skyflow.model.artifacts import Entry, EntryKind
from skyflow.model.transfers import Way
from skyflow.ports.artifacts import Blob, SignedRequest
from skyflow.runners.deposits import Deposits
from skyflow.runners.remote.data import Refused

pytestmark = pytest.mark.anyio


class Store:
    """A store that has nothing at first, and signs whatever it is asked for."""

    def __init__(self) -> None:
        self.there: set[str] = set()

    async def lacks(self, blobs) -> list[Blob]:
        return [blob for blob in blobs if blob.digest not in self.there]

    async def signed(self, _method, digests) -> list[SignedRequest]:
        return [SignedRequest(f"https://store/{digest}", ()) for digest in digests]

    async def put(self, file: Path) -> Blob:
        return Blob(file.name, 1)


class Machine:
    """A machine whose files are as large as they are said to be, to whoever only counts."""

    name = "m"

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sent: list[str] = []

    async def put(self, _attempt, _files, requests, moved) -> Refused:
        self.sent += requests
        self._store.there |= set(requests)
        moved(len(requests))
        return Refused((), (), "")

    async def read(self, _attempt, _entry, target: Path, moved) -> None:
        await anyio.Path(target).write_bytes(b"x")
        moved(1)


@pytest.mark.parametrize(("size", "way"), [(4 * 10**9, Way.UPLOAD), (4 * 10**9 + 1, Way.TO_HERE)])
async def test_what_no_service_takes_in_one_request_goes_through_here(tmp_path: Path, size: int, way: Way) -> None:
    """S3 and Azure take about 5 GB; the rest of a request's budget is theirs."""
    store = Store()
    machine = Machine(store)
    entry = Entry(path="f", kind=EntryKind.FILE, mode=0o644, size=size, content="d")
    deposits = Deposits(SimpleNamespace(monotonic=lambda: 0.0), scratch=tmp_path)
    origin = SimpleNamespace(data=machine, attempt="r/j/1")
    _, legs = await deposits.deposit([entry], origin, store=store, tell=lambda _: None)
    assert machine.sent == (["d"] if way is Way.UPLOAD else [])
    assert legs[0].way is way
