"""Serves the live page on the loopback interface until it is interrupted."""

import socket
from collections.abc import Callable
from contextlib import closing

import uvicorn

from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.ports.clock import Clock
from skyflow.web.guard import Guard
from skyflow.web.pages import make_pages

__all__ = ["serve"]

_LOOPBACK = "127.0.0.1"
_SECONDS_TO_END = 1


def serve(project: Project, *, port: int, token: str, clock: Clock, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    Args:
        project: whose runs.
        port: where; 0 takes any that is free.
        token: what whoever looks has to know.
        clock: the time.
        ready: is told the address, token included, once it answers.

    Raises:
        UsageError: the port is taken, or not ours to take.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, port))
        except OSError as error:
            raise UsageError(f"cannot listen on port {port}: {error.strerror}", hint="choose another --port") from error
        listener.listen()
        number = listener.getsockname()[1]
        hosts = {f"{_LOOPBACK}:{number}", f"localhost:{number}"}
        app = Guard(make_pages(project, clock=clock), token=token, hosts=hosts)
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        ready(f"http://{_LOOPBACK}:{number}/?token={token}")
        uvicorn.Server(config).run(sockets=[listener])
