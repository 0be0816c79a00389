"""Servers on loopback for the tests, and what can go wrong between them and a client.

A fault happens to one kind of call, at most `times` times:

- error: the server answers 503 and does nothing
- lost: the call has its effect, and the connection breaks before the answer
- hang: the call has its effect, and the answer comes after the client has given up
- kill: the call has its effect, and the process that made it dies
- unreachable: the connection breaks, and nothing has happened
- event: something else happens, and then the call has its effect and its answer
"""

import logging
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
HANG_SECONDS = 1.8
logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass
class Fault:
    what: str
    call: str
    times: int = 1
    pid: int = 0
    event: Callable[[], None] = lambda: None
    after: str = ""
    """It happens to none before there was a call of this kind."""
    happened: int = 0


@dataclass
class Faults:
    """Stands in front of a server; `name_call` says what kind of call a request is."""

    app: WsgiApp
    name_call: Callable[[dict[str, Any], bytes], str]
    planned: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, what: str, call: str, **more: Any) -> Fault:
        fault = Fault(what, call, **more)
        self.planned.append(fault)
        return fault

    def clear(self) -> None:
        self.planned.clear()
        self.calls.clear()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        call = self.name_call(environ, body)
        with self._lock:
            self.calls.append(call)
            due = (each for each in self.planned if each.call == call and each.times > 0)
            fault = next((each for each in due if not each.after or each.after in self.calls), None)
            if fault is not None:
                fault.times -= 1
                fault.happened += 1
        if fault is not None:
            fault.event()
        if fault is None or fault.what == "event":
            return self.app(environ, start)
        if fault.what == "unreachable":
            raise ConnectionResetError(f"planned: {fault.what}")
        if fault.what == "error":
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"the server is overloaded"]
        answer = list(self.app(environ, start if fault.what == "hang" else lambda *_: lambda _: None))
        if fault.what == "hang":
            threading.Event().wait(HANG_SECONDS)
            return answer
        if fault.what == "kill":
            os.kill(fault.pid, signal.SIGKILL)
        raise ConnectionResetError(f"planned: {fault.what}")


class _QuietHandler(WSGIRequestHandler):
    def log(self, *arguments: object) -> None:
        pass


@contextmanager
def served(app: WsgiApp, *, certificate: Path | None = None, handler: type[Any] = _QuietHandler) -> Iterator[str]:
    """Serve an app on a free port of 127.0.0.1, with TLS if there is a certificate; yield its address."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler, ssl_context=context)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
