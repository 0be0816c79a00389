"""Work on another machine that takes long, as whoever asked for it sees it: lines of JSON in both directions."""

import json
from collections.abc import Callable
from typing import Any

from skyflow.ports.transport import Channel, TransportError

__all__ = ["Errand", "ErrandRefusedError"]


class ErrandRefusedError(TransportError):
    """The machine cannot do what was asked; the message says why."""


class Errand:
    """One errand under way; see `skyflow.runners.onhost.errands`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._inbox = bytearray()

    async def say(self, **fields: object) -> None:
        """Tell the other side something."""
        await self._channel.send(json.dumps(fields).encode(errors="surrogateescape") + b"\n")

    async def hear(self) -> dict[str, Any]:
        """Return what the other side tells next.

        Raises:
            ErrandRefusedError: it cannot do it.
            LinkLostError: the link broke.
        """
        while b"\n" not in self._inbox:
            data = await self._channel.receive()
            if not data:
                ended = await self._channel.wait()
                lines = ended.error_text.strip().splitlines()
                raise ErrandRefusedError(lines[-1] if lines else f"it ended with exit code {ended.exit_code}")
            self._inbox += data
        line, _, rest = bytes(self._inbox).partition(b"\n")
        self._inbox = bytearray(rest)
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise ErrandRefusedError(told["error"])
        return told

    async def finish(self, moved: Callable[[int], None] = lambda _: None) -> int:
        """Wait until it is done; return how many bytes have moved, and tell meanwhile how many more have.

        Raises:
            ErrandRefusedError, LinkLostError: as `hear`.
        """
        before = 0
        while True:
            told = await self.hear()
            moved(told["moved"] - before)
            before = int(told["moved"])
            if "done" in told:
                return before
