"""Machines that are reached over SSH."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["KeepAlive", "Link", "SshHost"]


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
