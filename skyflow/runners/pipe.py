"""The pipe that carries a step's output, read for as long as anything holds its other end."""

import fcntl
import os
from contextlib import suppress

import anyio

from skyflow.runners.output import LogFile, LogWriter

__all__ = ["OutputPipe"]

_CHUNK_BYTES = 256 * 1024
_PIPE_CAPACITY_BYTES = 1024 * 1024
"""What a pipe is made to hold where the system allows, hence the most that can be left in it when its writer has ended."""


class OutputPipe:
    """Moves what arrives in a pipe to a log writer. `fd` is non-blocking; it and the log are closed at the end."""

    def __init__(self, fd: int, log: LogFile, writer: LogWriter) -> None:
        self._fd = fd
        self._log = log
        self._writer = writer
        self._at_end = False
        _widen(fd)

    async def follow(self) -> None:
        """Read until every writer has closed the pipe."""
        try:
            while not self._at_end:
                await anyio.wait_readable(self._fd)
                self._read()
        finally:
            os.close(self._fd)
            self._writer.finish()
            self._log.close()

    def catch_up(self) -> None:
        """Read what is in the pipe now; to be called when the step's own process has ended."""
        taken = 0
        while not self._at_end and taken < _PIPE_CAPACITY_BYTES:
            count = self._read()
            if count == 0:
                break
            taken += count
        self._writer.finish()

    def _read(self) -> int:
        try:
            data = os.read(self._fd, _CHUNK_BYTES)
        except BlockingIOError:
            return 0
        self._at_end = not data
        if data:
            self._writer.feed(data)
        return len(data)


def _widen(fd: int) -> None:
    """Let a pipe hold more, so that its writer waits less often."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # the user has too many wide pipes: it works as well, only slower
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_CAPACITY_BYTES)
