"""How commands reach another machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Channel", "Ended", "LinkLostError", "Transport", "TransportError"]


class TransportError(Exception):
    """A machine cannot be used, and trying again will not help; the message is for the user."""


class LinkLostError(TransportError):
    """A machine cannot be reached at the moment; what was started on it may run on, and trying again may help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended: killed by signal N counts as exit code 128 + N. `output` is empty if it went elsewhere."""

    exit_code: int
    output: bytes = b""
    error_text: str = ""


class Channel(Protocol):
    """A command under way on another machine, with its standard input and output."""

    async def send(self, data: bytes) -> None:
        """Give the command input, and wait while it is slow to take it.

        Raises:
            LinkLostError: the link broke, or the command has ended.
        """
        ...

    async def send_end(self) -> None:
        """Say that there is no more input; harmless if the command has ended."""
        ...

    async def receive(self) -> bytes:
        """Wait for output, and return a piece of it; nothing at its end.

        Raises:
            LinkLostError: the link broke.
        """
        ...

    async def wait(self) -> Ended:
        """Wait for the command to end.

        Raises:
            LinkLostError: the link broke.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the command; if it is under way it loses its input and output, and may or may not run on."""
        ...


class Transport(Protocol):
    """A link to one machine, made when it is needed and made again after it broke.

    Every method may be called by several tasks at once, and raises LinkLostError if the machine cannot be reached, and
    TransportError if it can but must not or cannot be used: another host key than the one that is known, no valid key.
    """

    @property
    def name(self) -> str:
        """What the machine is called in messages."""
        ...

    async def open(self, command: Sequence[str]) -> Channel:
        """Start a command; its words are passed on as they are, whatever characters they have."""
        ...

    async def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes | Path = b"",
        output: Callable[[bytes], None] | None = None,
    ) -> Ended:
        """Run a command to its end.

        Args:
            command: its words.
            stdin: its input, or the file with it.
            output: takes standard output piece by piece; by default it is returned.
        """
        ...

    async def put(self, source: Path, target: str, *, mode: int = 0o600) -> None:
        """Copy a file to the machine, in one move: its old content or its new one is there, never a part.

        Raises:
            TransportError: it cannot be written there.
        """
        ...

    async def get(self, source: str, target: Path) -> None:
        """Copy a file from the machine, in one move.

        Raises:
            TransportError: it cannot be read there, or not written here.
        """
        ...

    async def aclose(self) -> None:
        """Close the link; what runs on the machine on its own runs on."""
        ...
