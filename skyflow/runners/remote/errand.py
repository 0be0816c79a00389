"""Work on another machine that takes long, as whoever asked for it sees it: lines of JSON in both directions."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from skyflow._util.foreign_json import read_json
from skyflow.ports.transport import Channel, TransportError

__all__ = ["Errand", "ErrandRefusedError"]


_T = TypeVar("_T")
_LONGEST_LINE_BYTES = 1024 * 1024
"""What is told are numbers and keys."""


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

    async def hear(self, name: str, kind: type[_T]) -> _T:
        """Return what the other side tells next, under a name.

        Raises:
            ErrandRefusedError: it cannot do it, or tells something else.
            LinkLostError: the link broke.
        """
        value = (await self._told()).get(name)
        if isinstance(value, kind):
            return value
        raise ErrandRefusedError(f"the machine tells something else than '{name}'")

    async def _told(self) -> dict[str, Any]:
        while b"\n" not in self._inbox and len(self._inbox) < _LONGEST_LINE_BYTES:
            data = await self._channel.receive()
            if not data:
                ended = await self._channel.wait()
                lines = ended.error_text.strip().splitlines()
                raise ErrandRefusedError(lines[-1] if lines else f"it ended with exit code {ended.exit_code}")
            self._inbox += data
        line, _, rest = bytes(self._inbox).partition(b"\n")
        self._inbox = bytearray(rest)
        try:
            told = read_json(line.decode(errors="surrogateescape"))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise ErrandRefusedError("what came from the machine is no message of the supervisor")
        if "error" in told:
            raise ErrandRefusedError(str(told["error"]))
        return told

    async def finish(
        self,
        moved: Callable[[int], None] = lambda _: None,
        *,
        take: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> int:
        """Wait until it is done; return how many bytes have moved, and tell meanwhile how many more have.

        `take` gets all that the other side tells, as it comes.

        Raises:
            ErrandRefusedError, LinkLostError: as `hear`.
        """
        before = 0
        while True:
            told = await self._told()
            take(told)
            after = told.get("moved")
            if not isinstance(after, int):
                raise ErrandRefusedError("the machine does not tell how much it has moved")
            moved(after - before)
            before = after
            if "done" in told:
                return before
