"""A command under way as a process of this machine."""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Self

import anyio
from anyio.abc import Process

from skyflow.ports.transport import Ended, LinkLostError
from skyflow.transports.base import CHUNK_BYTES

__all__ = ["ProcessChannel"]

_MOST_ERROR_BYTES = 64 * 1024
"""The last of standard error, which is for messages only."""


class ProcessChannel(ABC):
    """See `skyflow.ports.transport.Channel`; a subclass says what the end of the process means."""

    def __init__(self, name: str, process: Process, error_file: IO[bytes], *, on_end: Callable[[], None]) -> None:
        self.name = name
        self._process = process
        self._error_file = error_file
        self._on_end: Callable[[], None] | None = on_end
        self._error_text = ""
        self._waiting = anyio.Lock()

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        on_end: Callable[[], None],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Self:
        """Start a process.

        Args:
            name: what the machine is called.
            command: its words.
            on_end: called once, when the process has ended.
            env: its environment; this process's by default.
            cwd: its folder; this process's by default.

        Raises:
            OSError: it cannot be started.
        """
        error_file = tempfile.TemporaryFile()  # noqa: SIM115 -- the channel closes it; a pipe would have to be read
        try:
            process = await anyio.open_process(command, stderr=error_file, env=env, cwd=cwd, start_new_session=True)
        except BaseException:
            error_file.close()
            raise
        return cls(name, process, error_file, on_end=on_end)

    @abstractmethod
    def ended(self, exit_code: int, error_text: str) -> Ended:
        """Return how the command ended, from the end of the process.

        Raises:
            TransportError: the command was not reached.
        """

    async def send(self, data: bytes) -> None:
        """Give the command input."""
        assert self._process.stdin is not None  # noqa: S101 -- it was asked for
        try:
            await self._process.stdin.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise LinkLostError(f"the link to {self.name} broke, or the command has ended") from error

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
        """Wait for the process to end."""
        async with self._waiting:
            exit_code = await self._process.wait()
            self._release()
        return self.ended(exit_code, self._error_text)

    async def aclose(self) -> None:
        """End the process."""
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
