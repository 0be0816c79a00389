"""Serves the live page until it is interrupted: on the loopback interface, unless the user names another address."""

import socket
from collections.abc import Callable, Sequence
from contextlib import closing
from ipaddress import ip_address

import uvicorn

from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.ports.clock import Waiter
from skyflow.web.guard import Guard
from skyflow.web.pages import make_pages

__all__ = ["LOOPBACK", "serve"]

LOOPBACK = "127.0.0.1"
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 -- to refuse them where nothing else is said
_SECONDS_TO_END = 1


def serve(
    project: Project,
    *,
    address: str = LOOPBACK,
    port: int,
    names: Sequence[str] = (),
    hidden_name: str,
    token: str,
    write_token: str,
    clock: Waiter,
    ready: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C.

    Args:
        project: whose runs.
        address: where to listen; an IPv4 or IPv6 address.
        port: where; 0 takes any that is free.
        names: what the server is called, for whoever listens to others or wants a name of their own.
        hidden_name: what it is called on the loopback interface otherwise: a name below `localhost` that nobody can guess.
            Browsers send cookies to every port of a host, so other users who listen there must not know what the host is.
        token: what whoever looks has to know.
        write_token: what our forms carry.
        clock: the time.
        ready: is told the address, token included, once it answers.

    Raises:
        KeyboardInterrupt: always, in the end.
        UsageError: the address is none of this machine's, it says nothing about how we are reached, or the port is taken
            or not ours to take.
    """
    with closing(_listener(address, port)) as listener:
        number = listener.getsockname()[1]
        known = _names(address, names, hidden_name)
        if not known:
            raise UsageError(
                f"{address} stands for every address of this machine, and says nothing about how it is reached",
                hint="add --name, for example --name build.example.org",
            )
        hosts = {f"{name}:{number}" for name in known}
        pages = make_pages(project, write_token=write_token, clock=clock, is_ending=lambda: server.should_exit)
        app = Guard(pages, token=token, write_token=write_token, hosts=hosts)
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_END,
        )
        server = uvicorn.Server(config)
        ready(f"http://{known[0]}:{number}/?token={token}")
        server.run(sockets=[listener])
        raise KeyboardInterrupt  # it sends itself the signal that ended it, which is lost where it was ignored before


def _listener(address: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on port {port} of {address}: {error.strerror}",
            hint="choose another --port, or an address of this machine",
        ) from error
    return listener


def _names(address: str, given: Sequence[str], hidden: str) -> list[str]:
    """Return what a browser has to call us; browsers find every name below `localhost` on the loopback interface."""
    if ip_address(address).is_loopback:
        return list(given) or [hidden]
    if address in _EVERYWHERE:
        return list(given)
    return [*given, f"[{address}]" if ":" in address else address]
