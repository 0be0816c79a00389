"""Machines that are reached over SSH."""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

__all__ = ["KeepAlive", "Link", "SshHost", "parse_host", "parse_port"]

_MOST_PORT = 65535


class Link(StrEnum):
    """Which program speaks SSH."""

    ASYNCSSH = "asyncssh"
    """The library, in this process; it knows nothing of `~/.ssh/config`."""
    OPENSSH = "openssh"
    """The program `ssh`, with everything that `~/.ssh/config` says: jumps over other hosts, keys in hardware."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive:
    """How soon a dead link is noticed: after `most_missed` signs of life, `seconds` apart, have not come."""

    seconds: float = 15.0
    most_missed: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SshHost:
    """One machine, and how it is reached.

    `address` is a name or an address, for OpenSSH also an alias of `~/.ssh/config`. `host_keys` are those that the
    machine may show (`ssh-ed25519 AAAA...`); without any it has to be in `~/.ssh/known_hosts`: no machine is trusted
    because it is the first time. `identity` is the file of a private key; without it those that SSH finds by itself are
    tried. `folder` is where skyflow keeps its files there, below the home folder unless it begins with `/`; `python` the
    interpreter that runs its supervisor.
    """

    name: str
    address: str
    port: int | None = None
    user: str | None = None
    host_keys: tuple[str, ...] = ()
    identity: str | None = None
    link: Link = Link.OPENSSH
    folder: str = ".skyflow"
    python: str = "python3"
    keep_alive: KeepAlive = KeepAlive()
    connect_seconds: float = 30.0

    @property
    def known_hosts(self) -> str:
        """The pinned keys as lines of a known_hosts file; empty without any."""
        shown = self.address if self.port in (None, 22) else f"[{self.address}]:{self.port}"
        return "".join(f"{shown} {' '.join(key.split()[:2])}\n" for key in self.host_keys)


def parse_host(text: str) -> SshHost:
    """Read `NAME` or `USER@NAME` as `ssh` takes it, or `ssh://USER@ADDRESS:PORT`, which is for asyncssh.

    Raises:
        ValueError: it is neither.
    """
    if not text.startswith("ssh://"):
        user, _, address = text.rpartition("@")
        if not address or address.startswith("-") or user.startswith("-") or any(sign in text for sign in " \t/"):
            raise ValueError(f"'{text}' names no machine; write NAME, USER@NAME or ssh://USER@ADDRESS:PORT")
        return SshHost(name=address, address=address, user=user or None)
    try:
        parts = urlsplit(text)
        address, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"'{text}': {error}") from error
    if not address or parts.path.strip("/") or parts.password is not None:
        raise ValueError(f"'{text}' is not of the form ssh://USER@ADDRESS:PORT")
    shown = address if port is None else f"{address}:{port}"
    return SshHost(name=shown, address=address, port=port, user=parts.username, link=Link.ASYNCSSH)


def parse_port(text: str) -> int:
    """Read the number of a port.

    Raises:
        ValueError: it is none.
    """
    if not (text.isdecimal() and 0 < int(text) <= _MOST_PORT):
        raise ValueError(f"'{text}' is no port; write a number from 1 to {_MOST_PORT}")
    return int(text)
