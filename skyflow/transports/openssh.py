"""SSH by the program `ssh`, which shares one connection between all commands (ControlMaster).

What `~/.ssh/config` says holds: other names, jumps over other hosts, keys in hardware. What it says against what is
asked for here does not: the host key is always checked, no agent is ever forwarded.

The program ends with 255 if the link broke, which a command may do as well, so that a mark tells of a command's end.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from shlex import join

import anyio

from skyflow.model.hosts import SshHost
from skyflow.ports.transport import Ended, LinkLostError, TransportError
from skyflow.transports.base import BaseTransport
from skyflow.transports.process_channel import ProcessChannel

__all__ = ["MOST_COMMANDS", "OpensshTransport", "shell_command"]

MOST_COMMANDS = 6
"""As many commands at once as one connection carries with every sshd."""

_MARK = "skyflow: ended with "
_MOST_DIGITS = 3
"""Of an exit code."""
_MARKED = f'"$@"; echo "{_MARK}$?" >&2'
"""Runs a command, and says on standard error that it has ended."""
_FATAL = (
    ("Host key verification failed", "its host key is not the one that is known; compare it with its owner's"),
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "it shows another host key than the one that is known"),
    ("Permission denied (", "it lets nobody in with these keys"),
    ("Bad owner or permissions", "ssh does not trust a file of its configuration"),
    ("Bad configuration option", "ssh does not understand its configuration"),
)
"""What ssh says when trying again will not help."""
_CLOSE_SECONDS = 2.0


class OpensshTransport(BaseTransport):
    """A link to one machine; see `skyflow.ports.transport.Transport`."""

    def __init__(self, host: SshHost, *, config: Path | None = None) -> None:
        """Prepare a link; nothing happens yet.

        Args:
            host: the machine.
            config: a file to read instead of `~/.ssh/config`.
        """
        self._host = host
        self._config = config
        self._folder: Path | None = None
        self._free = anyio.CapacityLimiter(MOST_COMMANDS)

    @property
    def name(self) -> str:
        """The name of the host."""
        return self._host.name

    async def open(self, command: Sequence[str]) -> "_OpensshChannel":
        """Start a command, with a process of ssh that is a client of the shared connection."""
        line = [*self._ssh(), "--", self._host.address, join(["sh", "-c", _MARKED, "sh", *command])]
        token = object()
        await self._free.acquire_on_behalf_of(token)
        release = partial(self._free.release_on_behalf_of, token)
        try:
            return await _OpensshChannel.start(self.name, line, on_end=release)
        except BaseException as error:
            release()
            if isinstance(error, OSError):
                raise TransportError(f"the program ssh cannot be started: {error.strerror}") from error
            raise

    async def aclose(self) -> None:
        """Close the shared connection."""
        if self._folder is None:
            return
        command = [*self._ssh(), "-O", "exit", "--", self._host.address]
        with suppress(OSError), anyio.move_on_after(_CLOSE_SECONDS):  # it may well have ended by itself
            await anyio.run_process(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    def _ssh(self) -> list[str]:
        """Return the command line up to the address."""
        host = self._host
        if self._folder is None:  # short, for the path of a socket has room for about 100 characters
            self._folder = Path(tempfile.mkdtemp(prefix="skyflow-ssh-"))
        options = {
            "BatchMode": "yes",
            "ControlMaster": "auto",
            "ControlPath": f"{self._folder}/%C",
            "ControlPersist": "120",
            "RequestTTY": "no",
        }
        return _words(host, options, folder=self._folder, config=self._config)


def shell_command(
    host: SshHost, line: str, *, folder: Path, config: Path | None = None, has_terminal: bool = False
) -> list[str]:
    """Return the command line that has the shell of a machine do something, over a connection of its own.

    Args:
        host: the machine.
        line: what its shell is to do.
        folder: a folder for the keys that the machine may show, which is needed until the command has ended.
        config: a file to read instead of `~/.ssh/config`.
        has_terminal: whether what runs there gets a terminal.
    """
    options = {"ControlPath": "none", "RequestTTY": "force" if has_terminal else "no", "LogLevel": "ERROR"}
    return [*_words(host, options, folder=folder, config=config), "--", host.address, line]


def _words(host: SshHost, options: dict[str, str], *, folder: Path, config: Path | None) -> list[str]:
    """Return the command line up to the address; `folder` is where pinned keys are written."""
    options = options | {
        "StrictHostKeyChecking": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "ClearAllForwardings": "yes",
        "PermitLocalCommand": "no",
        "ServerAliveInterval": f"{max(1, round(host.keep_alive.seconds))}",
        "ServerAliveCountMax": f"{host.keep_alive.most_missed}",
        "ConnectTimeout": f"{max(1, round(host.connect_seconds))}",
    }
    if host.host_keys:
        known = folder / "known_hosts"
        keys = (" ".join(key.split()[:2]) for key in host.host_keys)
        known.write_text("".join(f"pinned {key}\n" for key in keys), encoding="utf-8")
        options |= {"UserKnownHostsFile": str(known), "GlobalKnownHostsFile": "/dev/null", "HostKeyAlias": "pinned"}
    words = ["ssh", *(() if config is None else ("-F", str(config)))]
    for key, value in options.items():
        words += ["-o", f"{key}={value}"]
    if host.identity is not None:
        words += ["-o", "IdentitiesOnly=yes", "-i", host.identity]
    if host.port is not None:
        words += ["-p", str(host.port)]
    if host.user is not None:
        words += ["-l", host.user]
    return words


class _OpensshChannel(ProcessChannel):
    """A command under way, as a process of ssh."""

    def ended(self, exit_code: int, error_text: str) -> Ended:
        """Tell the end of the command from that of ssh."""
        del exit_code
        text, mark, code = error_text.rpartition(_MARK)
        code = code.strip()
        if not mark or not (code.isascii() and code.isdecimal() and len(code) <= _MOST_DIGITS):
            raise self._failure(text or code)
        return Ended(exit_code=int(code), error_text=text)

    def _failure(self, text: str) -> TransportError:
        for sign, meaning in _FATAL:
            if sign in text:
                return TransportError(f"{self.name} cannot be used: {meaning} ({_last_line(text)})")
        return LinkLostError(f"the link to {self.name} broke{f': {_last_line(text)}' if text.strip() else ''}")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("@", "Warning:"))]
    return lines[-1].strip() if lines else text.strip()
