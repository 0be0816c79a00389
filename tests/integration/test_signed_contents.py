"""What a machine does with signed requests to a store that answers wrongly, in part, or not at all."""

import hashlib
import itertools
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from testbed.object_server import Fault, FaultProxy

from skyflow.runners.onhost import bucket
from skyflow.runners.onhost.data import RunData

CONTENT = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Store(ThreadingHTTPServer):
    """Takes and gives whatever it is asked for, from a byte on if that is said."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.contents: dict[str, bytes] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        self.server.contents[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, b"")

    def do_GET(self) -> None:
        begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        content = self.server.contents[self.path]
        self._answer(206 if begin else 200, content[int(begin[1]) :] if begin else content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(bucket, "_PAUSE_SECONDS", 0.0)
    with Store() as running:
        yield running
        running.shutdown()


@pytest.fixture
def proxy(store: Store) -> Iterator[FaultProxy]:
    running = FaultProxy(store.server_address[1])
    yield running
    running.close()


def blob(proxy: FaultProxy, **more: object) -> dict[str, object]:
    url = f"http://127.0.0.1:{proxy.port}/{DIGEST}"
    return {"digest": DIGEST, "size": len(CONTENT), "url": url, "headers": {}, **more}


def fault(kind: str, times: int = 1) -> Fault:
    return Fault(kind, lambda *_: True, times=times)


class TestGetting:
    """A content comes whole and right, or not at all."""

    @pytest.fixture
    def data(self, tmp_path: Path, store: Store) -> RunData:
        store.contents[f"/{DIGEST}"] = CONTENT
        return RunData(str(tmp_path))

    @pytest.mark.parametrize(("kind", "asked"), [("error", 2), ("reset", 2), ("cut", 2), ("spoil", 2)])
    def test_what_goes_wrong_once_is_tried_again(self, data: RunData, proxy: FaultProxy, kind: str, asked: int) -> None:
        proxy.faults = [fault(kind)]
        moved: list[int] = []
        assert bucket.get_all(data, [blob(proxy)], moved.append)["left"] == []
        assert Path(data.path(DIGEST)).read_bytes() == CONTENT
        assert sum(moved) == len(CONTENT)  # what came in vain does not count
        assert len(proxy.seen) == asked

    def test_no_more_is_taken_than_a_byte_too_many(self, data: RunData, proxy: FaultProxy, store: Store) -> None:
        """A store that sends without end would fill the disk of the machine."""
        store.contents[f"/{DIGEST}"] = CONTENT * 20
        moved: list[int] = []
        answer = bucket.get_all(data, [blob(proxy)], moved.append)
        assert (answer["left"], answer["why"]) == ([DIGEST], "the store cannot be reached: what came is damaged")
        assert max(itertools.accumulate(moved)) == len(CONTENT) + 1
        assert list(Path(data.folder).iterdir()) == []

    def test_what_has_come_is_not_fetched_again(self, data: RunData, proxy: FaultProxy) -> None:
        proxy.faults = [fault("cut")]
        moved: list[int] = []
        bucket.get_all(data, [blob(proxy)], moved.append)
        assert min(moved) > 0

    @pytest.mark.parametrize(
        ("kind", "why", "asked"),
        [
            ("spoil", "the store cannot be reached: what came is damaged", bucket._TRIES),
            ("error", "the store answers 503 Service Unavailable", bucket._TRIES),
            ("refuse", "the store answers 403 Forbidden", 1),
        ],
    )
    def test_what_is_never_right_is_left_and_nothing_of_it_is_kept(
        self, data: RunData, proxy: FaultProxy, kind: str, why: str, asked: int
    ) -> None:
        proxy.faults = [fault(kind, times=99)]
        moved: list[int] = []
        assert bucket.get_all(data, [blob(proxy)], moved.append) == {"left": [DIGEST], "spoiled": [], "why": why}
        assert list(Path(data.folder).iterdir()) == []
        assert (sum(moved), len(proxy.seen)) == (0, asked)


class TestPutting:
    """A store gets what was listed, or it is said that it did not."""

    def put(self, tmp_path: Path, proxy: FaultProxy, content: bytes) -> tuple[dict[str, object], int]:
        (tmp_path / "file").write_bytes(content)
        moved: list[int] = []
        return bucket.put_all(str(tmp_path), [blob(proxy, name="file")], moved.append), sum(moved)

    def test_what_goes_wrong_once_is_tried_again(self, tmp_path: Path, proxy: FaultProxy, store: Store) -> None:
        proxy.faults = [fault("error"), fault("reset")]
        answer, moved = self.put(tmp_path, proxy, CONTENT)
        assert answer == {"left": [], "spoiled": [], "why": ""}
        assert (store.contents[f"/{DIGEST}"], moved) == (CONTENT, len(CONTENT))

    def test_a_file_that_is_longer_by_now_is_not_sent(self, tmp_path: Path, proxy: FaultProxy) -> None:
        answer, moved = self.put(tmp_path, proxy, CONTENT + b"more")
        assert answer == {"left": [DIGEST], "spoiled": [], "why": "it has changed meanwhile"}
        assert (moved, proxy.seen) == (0, [])

    def test_a_file_that_is_another_by_now_is_told_to_be_forgotten(self, tmp_path: Path, proxy: FaultProxy) -> None:
        answer, _ = self.put(tmp_path, proxy, bytes(reversed(CONTENT)))
        assert answer == {"left": [], "spoiled": [DIGEST], "why": "it has changed meanwhile"}
