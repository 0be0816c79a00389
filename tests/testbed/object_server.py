"""A server that speaks S3 over HTTP, and a proxy in front of it that breaks things."""

import contextlib
import http.client
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from testbed.ports import free_port

__all__ = ["Fault", "FaultProxy", "ObjectServer"]

_START_SECONDS = 30.0
_HOP = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


class ObjectServer:
    """moto's S3 as a process of its own; or another module that takes the same options."""

    def __init__(self, module: str = "testbed.s3_server") -> None:
        self.port = free_port()
        command = [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", str(self.port)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.request("GET", "/moto-api/data.json")
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def request(self, method: str, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request(
            method, path, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3"}
        )
        status = connection.getresponse().status
        connection.close()
        return status

    @property
    def pid(self) -> int:
        return self._process.pid

    def make_bucket(self, name: str) -> None:
        assert self.request("PUT", f"/{name}") == 200

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Fault:
    """What happens to the next requests that a function picks by their method and path.

    `kind` is `error` (503), `refuse` (403), `hang` (no answer, for `seconds`), `reset` (the connection breaks before anything is done),
    `lost` (it is done, and the answer lost), `cut` (half of the answer comes), `spoil` (the answer is changed).
    """

    kind: str
    picks: Callable[[str, str], bool]
    times: int = 1
    seconds: float = 0.0


class FaultProxy:
    """Passes on requests, and does with them what the faults say."""

    def __init__(self, target_port: int) -> None:
        self.faults: list[Fault] = []
        self.seen: list[tuple[str, str]] = []
        proxy = self

        class Handler(_Handler):
            target: ClassVar[int] = target_port
            owner: ClassVar[FaultProxy] = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, method: str, path: str) -> Fault | None:
        self.seen.append((method, path))
        for fault in self.faults:
            if fault.times > 0 and fault.picks(method, path):
                fault.times -= 1
                return fault
        return None

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: ClassVar[int]
    owner: ClassVar[FaultProxy]

    def log_message(self, *_: object) -> None:
        pass

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.owner.take(self.command, self.path)
        kind = fault.kind if fault else ""
        if kind == "reset":
            self._reset()
            return
        if kind == "hang" and fault is not None:
            time.sleep(fault.seconds)
            self._reset()
            return
        if kind in {"error", "refuse"}:
            self._answer(503 if kind == "error" else 403, [], b"")
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.target)
        connection.request(self.command, self.path, body, dict(self.headers.items()))
        response = connection.getresponse()
        data = response.read()
        if kind == "lost":
            self._reset()
        elif kind == "cut":
            self._answer(response.status, response.getheaders(), data[: len(data) // 2], length=len(data))
            self._reset()
        else:
            if kind == "spoil":
                data = bytes(reversed(data))
            length = int(response.getheader("Content-Length") or 0) if self.command == "HEAD" else None
            self._answer(response.status, response.getheaders(), data, length=length)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, *, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def _reset(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
