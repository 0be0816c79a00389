"""SSH by the library asyncssh: no process of its own, one connection, quick commands."""

from collections.abc import Sequence
from pathlib import Path
from shlex import join

import anyio
import asyncssh

from skyflow.model.hosts import SshHost
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.transports.asyncssh_session import AsyncsshChannel
from skyflow.transports.base import BaseTransport

__all__ = ["MOST_CHANNELS", "AsyncsshTransport"]

MOST_CHANNELS = 6
"""sshd allows 10 sessions in a connection unless told otherwise, and frees those of ended commands late."""

_OPEN_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""How long to wait before asking again for a channel that was refused."""
_WINDOW_BYTES = 16 * 1024 * 1024
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
"""Those of OpenSSH, the ones first that processors have instructions for: much output is twice as fast."""
_KNOWN_HOSTS = Path("~/.ssh/known_hosts")


class AsyncsshTransport(BaseTransport):
    """A link to one machine; see `skyflow.ports.transport.Transport`."""

    def __init__(
        self,
        host: SshHost,
        *,
        passphrase: str | None = None,
    ) -> None:
        """Prepare a link; nothing happens yet.

        Args:
            host: the machine.
            passphrase: what protects the private key, if anything does.
        """
        self._host = host
        self._passphrase = passphrase
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connecting = anyio.Lock()
        self._free = anyio.CapacityLimiter(MOST_CHANNELS)

    @property
    def name(self) -> str:
        """The name of the host."""
        return self._host.name

    async def open(self, command: Sequence[str]) -> AsyncsshChannel:
        """Start a command on a channel of its own, as soon as one is free."""
        for patience in (*_OPEN_SECONDS, None):
            connection = await self._connected()
            channel = _LimitedChannel(self.name, self._free)
            await self._free.acquire_on_behalf_of(channel)
            try:
                await connection.create_session(
                    channel.itself, join(command), encoding=None, window=_WINDOW_BYTES, term_type=None
                )
            except asyncssh.ChannelOpenError as error:
                channel.release()
                if connection.is_closed():
                    raise LinkLostError(f"the link to {self.name} broke") from error
                if patience is None:
                    raise LinkLostError(f"{self.name} refuses to start another command: {error.reason}") from error
                await anyio.sleep(patience)
            except (asyncssh.Error, OSError) as error:
                channel.release()
                raise LinkLostError(f"the link to {self.name} broke: {error}") from error
            except BaseException:
                channel.release()
                raise
            else:
                return channel
        raise AssertionError  # the last round returns or raises

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
            with anyio.move_on_after(1):
                await connection.wait_closed()

    async def _connected(self) -> asyncssh.SSHClientConnection:
        async with self._connecting:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> asyncssh.SSHClientConnection:
        host = self._host
        try:
            return await asyncssh.connect(
                host.address,
                host.port or (),
                config=None,
                username=host.user or (),
                client_keys=self._keys(),
                passphrase=self._passphrase,
                known_hosts=_known_hosts(host),
                agent_forwarding=False,
                encryption_algs=_CIPHERS,
                keepalive_interval=host.keep_alive.seconds,
                keepalive_count_max=host.keep_alive.most_missed,
                connect_timeout=host.connect_seconds,
                login_timeout=host.connect_seconds,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            raise TransportError(_host_key_message(host, error)) from error
        except asyncssh.PermissionDenied as error:
            raise TransportError(f"{self.name} lets nobody in with these keys: {error.reason}") from error
        except asyncssh.DisconnectError as error:
            raise LinkLostError(f"{self.name} cannot be reached: {error.reason}") from error
        except TimeoutError as error:
            raise LinkLostError(f"{self.name} did not answer within {host.connect_seconds:g} seconds") from error
        except OSError as error:
            raise LinkLostError(f"{self.name} cannot be reached: {error.strerror or error}") from error

    def _keys(self) -> object:
        """Return the private key, or what makes asyncssh try those of the agent and of `~/.ssh`.

        Raises:
            TransportError: the file cannot be used.
        """
        if self._host.identity is None:
            return ()
        path = Path(self._host.identity).expanduser()
        try:
            return [asyncssh.read_private_key(path, self._passphrase)]
        except asyncssh.KeyEncryptionError as error:
            raise TransportError(f"the passphrase of the key '{path}' is wrong: {error}") from error
        except asyncssh.KeyImportError as error:
            raise TransportError(f"the key '{path}' cannot be used: {error}") from error
        except OSError as error:
            raise TransportError(f"the key '{path}' cannot be read: {error.strerror}") from error


class _LimitedChannel(AsyncsshChannel):
    """A channel that counts among those that may be open at once."""

    def __init__(self, name: str, free: anyio.CapacityLimiter) -> None:
        super().__init__(name)
        self._free = free
        self._is_counted = True

    def itself(self) -> AsyncsshChannel:
        """Return the channel, to whoever wants a function that makes one."""
        return self

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another channel."""
        super().connection_lost(exc)
        self.release()

    def release(self) -> None:
        """Make room; harmless if it has been made."""
        if self._is_counted:
            self._is_counted = False
            self._free.release_on_behalf_of(self)


def _known_hosts(host: SshHost) -> asyncssh.SSHKnownHosts:
    """Return the keys that are trusted; never what asyncssh takes for "trust everyone", which is None."""
    known = asyncssh.import_known_hosts(host.known_hosts)
    path = _KNOWN_HOSTS.expanduser()
    if not host.host_keys and path.is_file():
        known = asyncssh.read_known_hosts(str(path))
    return known


def _host_key_message(host: SshHost, error: asyncssh.HostKeyNotVerifiable) -> str:
    if host.host_keys:
        return (
            f"{host.name} shows another host key than the one that is pinned: {error.reason}; if it was set up anew, "
            "compare its new key with its owner, and give that as its host-key"
        )
    return (
        f"the host key of {host.name} is not in ~/.ssh/known_hosts, so it may be another machine ({error.reason}); "
        "compare the key with its owner, then add it there or as host-key of the host"
    )
