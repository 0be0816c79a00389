"""A command on another machine as a session of asyncssh, with flow control in both directions."""

import signal
from collections import deque
from typing import Any

import anyio
import asyncssh

from skyflow.ports.transport import Ended, LinkLostError

__all__ = ["AsyncsshChannel"]

_MOST_PENDING_BYTES = 4 * 1024 * 1024
"""So much output may wait to be received before the other side has to stop."""
_MOST_ERROR_BYTES = 64 * 1024
"""The last of standard error, which is for messages only."""
_KILLED_EXIT_CODE = 128


class AsyncsshChannel(asyncssh.SSHClientSession[bytes]):
    """One command; the session that asyncssh calls, and the channel that skyflow uses."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._channel: asyncssh.SSHClientChannel[bytes]
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._error = bytearray()
        self._has_news = anyio.Event()
        self._may_send = anyio.Event()
        self._may_send.set()
        self._closed = anyio.Event()
        self._is_at_end = False
        self._is_paused = False
        self._exit_code: int | None = None
        self._why: Exception | None = None

    # what asyncssh calls

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Keep a piece of output."""
        if datatype is not None:  # standard error
            self._error += data
            del self._error[:-_MOST_ERROR_BYTES]
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > _MOST_PENDING_BYTES and not self._is_paused:
            self._is_paused = True
            self._channel.pause_reading()
        self._has_news.set()

    def eof_received(self) -> bool:
        """Note the end of output; input may go on."""
        self._is_at_end = True
        self._has_news.set()
        return True

    def exit_status_received(self, status: int) -> None:
        """Note how the command ended."""
        self._exit_code = status

    def exit_signal_received(self, signal: str, *_: object) -> None:
        """Note what killed the command."""
        self._exit_code = _KILLED_EXIT_CODE + _number(signal)

    def pause_writing(self) -> None:
        """Let senders wait."""
        self._may_send = anyio.Event()

    def resume_writing(self) -> None:
        """Let senders go on."""
        self._may_send.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the channel is closed: the command has ended, or the link broke."""
        self._why = exc
        self._is_at_end = True
        self._may_send.set()
        self._closed.set()
        self._has_news.set()

    # what skyflow calls

    async def send(self, data: bytes) -> None:
        """Give the command input."""
        if self._closed.is_set():
            raise self._lost()
        try:
            self._channel.write(data)
        except OSError as error:  # asyncssh: the channel is no longer open for sending
            raise self._lost() from error
        await self._may_send.wait()

    async def send_end(self) -> None:
        """Say that there is no more input."""
        if not self._closed.is_set():
            self._channel.write_eof()

    async def receive(self) -> bytes:
        """Return all output that has come."""
        while not self._pending:
            if self._is_at_end:
                if self._closed.is_set() and self._exit_code is None:
                    raise self._lost()
                return b""
            self._has_news = anyio.Event()
            await self._has_news.wait()
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        if self._is_paused:
            self._is_paused = False
            self._channel.resume_reading()
        return data

    async def wait(self) -> Ended:
        """Wait for the command to end."""
        await self._closed.wait()
        if self._exit_code is None:
            raise self._lost()
        return Ended(exit_code=self._exit_code, error_text=self._error.decode(errors="replace"))

    async def aclose(self) -> None:
        """Close the channel."""
        self._channel.close()
        if not self._closed.is_set():
            with anyio.move_on_after(1):  # the other side answers, unless the link is dead
                await self._closed.wait()

    def _lost(self) -> LinkLostError:
        return LinkLostError(f"the link to {self._name} broke{f': {self._why}' if self._why else ''}")


def _number(name: str) -> int:
    found: Any = getattr(signal, f"SIG{name}", 0)
    return int(found)
