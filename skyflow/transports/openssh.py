"""SSH by the program `ssh`, which shares one connection between all commands (ControlMaster).

What `~/.ssh/config` says holds: other names, jumps over other hosts, keys in hardware. What it says against what is
asked for here does not: the host key is always checked, no agent is ever forwarded.

The program ends with 255 if the link broke, which a command may do as well, so that a mark tells of a command's end.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shlex import join
from typing import IO

import anyio
from anyio.abc import Process

from skyflow.model.hosts import SshHost
from skyflow.ports.transport import Ended, LinkLostError, TransportError
from skyflow.transports.base import CHUNK_BYTES, BaseTransport

__all__ = ["MOST_COMMANDS", "OpensshTransport"]

MOST_COMMANDS = 6
"""As many commands at once as one connection carries with every sshd."""

_MARK = "skyflow: ended with "
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
_MOST_ERROR_BYTES = 64 * 1024
"""The last of standard error, which is for messages only."""
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
        error_file = tempfile.TemporaryFile()  # noqa: SIM115 -- the channel closes it; a pipe would have to be read
        try:
            process = await anyio.open_process(line, stderr=error_file)
        except BaseException as error:
            error_file.close()
            self._free.release_on_behalf_of(token)
            if isinstance(error, OSError):
                raise TransportError(f"the program ssh cannot be started: {error.strerror}") from error
            raise
        return _OpensshChannel(self.name, process, error_file, on_end=lambda: self._free.release_on_behalf_of(token))

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
            "StrictHostKeyChecking": "yes",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "ClearAllForwardings": "yes",
            "PermitLocalCommand": "no",
            "RequestTTY": "no",
            "ServerAliveInterval": f"{max(1, round(host.keep_alive.seconds))}",
            "ServerAliveCountMax": f"{host.keep_alive.most_missed}",
            "ConnectTimeout": f"{max(1, round(host.connect_seconds))}",
        }
        if host.host_keys:
            known = self._folder / "known_hosts"
            keys = (" ".join(key.split()[:2]) for key in host.host_keys)
            known.write_text("".join(f"pinned {key}\n" for key in keys), encoding="utf-8")
            options |= {"UserKnownHostsFile": str(known), "GlobalKnownHostsFile": "/dev/null", "HostKeyAlias": "pinned"}
        words = ["ssh", *(() if self._config is None else ("-F", str(self._config)))]
        for key, value in options.items():
            words += ["-o", f"{key}={value}"]
        if host.identity is not None:
            words += ["-o", "IdentitiesOnly=yes", "-i", host.identity]
        if host.port is not None:
            words += ["-p", str(host.port)]
        if host.user is not None:
            words += ["-l", host.user]
        return words


class _OpensshChannel:
    """A command under way, as a process of ssh."""

    def __init__(self, name: str, process: Process, error_file: IO[bytes], *, on_end: Callable[[], None]) -> None:
        self._name = name
        self._process = process
        self._error_file = error_file
        self._on_end: Callable[[], None] | None = on_end
        self._error_text: str | None = None
        self._waiting = anyio.Lock()

    async def send(self, data: bytes) -> None:
        """Give the command input."""
        assert self._process.stdin is not None  # noqa: S101 -- it was asked for
        try:
            await self._process.stdin.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise LinkLostError(f"the link to {self._name} broke, or the command has ended") from error

    async def send_end(self) -> None:
        """Say that there is no more input."""
        assert self._process.stdin is not None  # noqa: S101
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            await self._process.stdin.aclose()

    async def receive(self) -> bytes:
        """Return the next piece of output."""
        assert self._process.stdout is not None  # noqa: S101
        try:
            return await self._process.stdout.receive(CHUNK_BYTES)
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            await self.wait()  # at the end, the question is whose end it was
            return b""

    async def wait(self) -> Ended:
        """Wait for ssh to end."""
        async with self._waiting:
            if self._error_text is None:
                await self._process.wait()
                self._release()
        text, mark, code = (self._error_text or "").rpartition(_MARK)
        if not mark:
            raise self._failure(text or code)
        return Ended(exit_code=int(code), error_text=text)

    async def aclose(self) -> None:
        """End this process of ssh; the shared connection stays."""
        with anyio.CancelScope(shield=True):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.terminate()
            await self._process.aclose()
        self._release()

    def _release(self) -> None:
        if self._on_end is not None:
            self._on_end()
            self._on_end = None
            self._error_text = self._last_errors()
            self._error_file.close()

    def _last_errors(self) -> str:
        self._error_file.seek(max(0, self._error_file.seek(0, os.SEEK_END) - _MOST_ERROR_BYTES))
        return self._error_file.read().decode(errors="replace")

    def _failure(self, text: str) -> TransportError:
        for sign, meaning in _FATAL:
            if sign in text:
                return TransportError(f"{self._name} cannot be used: {meaning} ({_last_line(text)})")
        return LinkLostError(f"the link to {self._name} broke{f': {_last_line(text)}' if text.strip() else ''}")


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("@", "Warning:"))]
    return lines[-1].strip() if lines else text.strip()
