"""What every transport does the same way, once it can start a command."""

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import anyio

from skyflow.ports.transport import Channel, Ended, TransportError

__all__ = ["CHUNK_BYTES", "BaseTransport"]

CHUNK_BYTES = 256 * 1024

_WRITE_FILE = 'set -e; umask 077; draft="$1.$$.part"; trap \'rm -f "$draft"\' EXIT; cat >"$draft"; chmod "$2" "$draft"; mv -f "$draft" "$1"'
"""Writes its input to the file $1 with the mode $2, in one move."""


class BaseTransport(ABC):
    """Runs commands to their end and copies files, over channels that a subclass opens."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the machine is called in messages."""

    @abstractmethod
    async def open(self, command: Sequence[str]) -> Channel:
        """Start a command."""

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes | Path = b"",
        output: Callable[[bytes], None] | None = None,
    ) -> Ended:
        """Run a command to its end."""
        collected = bytearray()
        take = output or collected.extend
        channel = await self.open(command)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_feed, channel, stdin)
                while data := await channel.receive():
                    take(data)
                ended = await channel.wait()
                tasks.cancel_scope.cancel()  # a command may end without having read all of its input
        except BaseExceptionGroup as group:
            raise _first(group) from group
        finally:
            with anyio.CancelScope(shield=True):
                await channel.aclose()
        return Ended(exit_code=ended.exit_code, output=bytes(collected), error_text=ended.error_text)

    async def put(self, source: Path, target: str, *, mode: int = 0o600) -> None:
        """Copy a file to the machine."""
        ended = await self.run(["sh", "-c", _WRITE_FILE, "sh", target, f"{mode:o}"], stdin=source)
        self._refuse_failed(ended, f"'{target}' cannot be written")

    async def get(self, source: str, target: Path) -> None:
        """Copy a file from the machine."""
        try:
            with _draft(target) as write:
                ended = await self.run(["cat", "--", source], output=write)
                self._refuse_failed(ended, f"'{source}' cannot be read")
        except OSError as error:
            raise TransportError(f"'{target}' cannot be written: {error.strerror}") from error

    def _refuse_failed(self, ended: Ended, what: str) -> None:
        if ended.exit_code:
            why = ended.error_text.strip().splitlines()
            raise TransportError(f"{what} on {self.name}: {why[-1] if why else f'exit code {ended.exit_code}'}")


@contextlib.contextmanager
def _draft(target: Path) -> Iterator[Callable[[bytes], None]]:
    """Give what writes a new file, which takes the place of the target in the end, unless something goes wrong."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:

            def write(data: bytes) -> None:
                file.write(data)

            yield write
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


async def _feed(channel: Channel, stdin: bytes | Path) -> None:
    """Send all input; that a command does not want it is no error."""
    with contextlib.suppress(TransportError):  # the receiving side tells, and knows more
        async for chunk in _chunks(stdin):
            await channel.send(chunk)
        await channel.send_end()


async def _chunks(stdin: bytes | Path) -> AsyncIterator[bytes]:
    if isinstance(stdin, bytes):
        for start in range(0, len(stdin), CHUNK_BYTES):
            yield stdin[start : start + CHUNK_BYTES]
        return
    async with await anyio.open_file(stdin, "rb") as file:
        while chunk := await file.read(CHUNK_BYTES):
            yield chunk


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
