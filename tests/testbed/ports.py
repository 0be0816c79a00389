"""Ports for servers that cannot choose their own, so that they have to be told one before they listen.

The kernel hands out ports of its own range to whoever connects: one that was just free there may be taken a moment later.
So they come from below that range, and each process that runs tests has a part of it to itself.
"""

import os
import socket
from itertools import cycle

__all__ = ["free_port"]

_FIRST, _OF_EACH, _PROCESSES = 10_000, 500, 40
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_START = _FIRST + _WORKER % _PROCESSES * _OF_EACH
_PORTS = cycle(range(_START, _START + _OF_EACH))


def free_port() -> int:
    """Return a port of the loopback device that nobody listens on, and that was not returned lately."""
    for _ in range(_OF_EACH):
        port = next(_PORTS)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError(f"no port is free from {_START} to {_START + _OF_EACH - 1}")
