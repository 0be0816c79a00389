"""The metadata service of a cloud for one machine: at the address that all clouds have it at, within the machine's network.

It asks for what the clouds ask for: a token (AWS), a header that names the cloud (GCP), or one that says that it is meant
(Azure). What it answers are files, by path.
"""

import ctypes
import os
import secrets
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["ADDRESS", "MetadataService"]

ADDRESS = "169.254.169.254"
_PORT = 80
_NEW_NETWORK = 0x40000000


class MetadataService(ThreadingHTTPServer):
    """Answers from `folder`, in the network namespace of a name, from `open` to `close`."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__((ADDRESS, _PORT), _Handler, bind_and_activate=False)
        self.folder = folder
        self.tokens: set[str] = set()

    def open(self, network: str) -> None:
        opening = threading.Thread(target=self._listen_in, args=(network,))  # only a thread goes there, and ends there
        opening.start()
        opening.join()
        self.server_activate()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)  # which ends whoever waits in `accept`
        self.server_close()

    def _accept(self) -> None:
        while True:
            try:
                self.process_request(*self.socket.accept())
            except OSError:  # it was closed
                return

    def _listen_in(self, network: str) -> None:
        namespace = os.open(f"/run/netns/{network}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(namespace, _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "setns")
            self.socket.close()
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(self.server_address)
        finally:
            os.close(namespace)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MetadataService

    def log_message(self, *arguments: object) -> None:
        pass

    def do_PUT(self) -> None:
        if self.path != "/latest/api/token" or not self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
            return self._answer(400)
        token = secrets.token_hex(8)
        self.server.tokens.add(token)
        return self._answer(200, token)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/latest") and self.headers.get("X-aws-ec2-metadata-token") not in self.server.tokens:
            return self._answer(401)
        if path.startswith("/computeMetadata") and self.headers.get("Metadata-Flavor") != "Google":
            return self._answer(403)
        if path.startswith("/metadata") and self.headers.get("Metadata") != "true":
            return self._answer(400)
        try:
            text = (self.server.folder / path.lstrip("/")).read_text()
        except OSError:
            return self._answer(404)
        return self._answer(200, text)

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())
