"""The link to one machine for as long as a run needs it: a session that is opened again whenever it broke."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self, TypeVar

import anyio
from anyio.abc import TaskGroup

from skyflow.ports.clock import Clock
from skyflow.ports.transport import LinkLostError, Transport
from skyflow.runners.remote.errand import Errand
from skyflow.runners.remote.session import Answer, HostSession, StepEnd, open_session, start_program

__all__ = ["HostLink"]

_T = TypeVar("_T")
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_CLOSE_SECONDS = 5.0


class HostLink:
    """Asks one machine for something until it has answered, as an asynchronous context that owns the link.

    Every request is one that may arrive twice. A machine that has not been reached for `patience_seconds` counts as lost.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        folder: str = ".skyflow",
        python: str = "python3",
        patience_seconds: float = 300.0,
        find_out: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        """Prepare a link; nothing happens yet.

        Args:
            transport: reaches the machine.
            clock: the time.
            folder: where skyflow keeps its files there.
            python: what runs the supervisor there.
            patience_seconds: how long to try to reach it.
            find_out: asked when it cannot be reached: says why it is gone for good, or None while it may come back.
        """
        self._transport = transport
        self._clock = clock
        self._folder = folder
        self._python = python
        self._patience_seconds = patience_seconds
        self._find_out = find_out
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup
        self._session: HostSession | None = None
        self._opening = anyio.Lock()
        self._lost_since: float | None = None

    @property
    def name(self) -> str:
        """What the machine is called in messages."""
        return self._transport.name

    async def __aenter__(self) -> Self:
        """Open the task group that reads."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Close the link; what runs on the machine runs on."""
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
            if self._session is not None:
                await self._session.aclose()
            await self._transport.aclose()
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)

    async def folder(self) -> str:
        """Return where skyflow keeps its files on the machine, as a path from the root."""
        return await self._until_done(lambda session: session.folder())

    async def address(self) -> str:
        """Return the address at which the machine was reached, as it sees that itself."""
        return await self._until_done(lambda session: session.address())

    async def ask(self, do: str, data: bytes = b"", **fields: object) -> Answer:
        """Ask for something, until it is answered.

        Raises:
            MachineRefusedError: it cannot be done.
            LinkLostError: the machine has not been reached for too long.
            TransportError: the machine must not or cannot be used.
        """
        return await self._until_done(lambda session: session.ask(do, data, **fields))

    async def follow(self, step: str, offset: int, output: Callable[[bytes, int], None]) -> StepEnd:
        """Take what a step prints from an offset on, until it has ended; `output` also gets the offset after it.

        Raises:
            LinkLostError: the machine has not been reached for too long.
            TransportError: the machine must not or cannot be used.
        """
        at = offset

        def take(data: bytes, after: int) -> None:
            nonlocal at
            if after == at + len(data):  # else a piece that came twice
                at = after
                output(data, after)

        return await self._until_done(lambda session: session.follow(step, at, take))

    @asynccontextmanager
    async def errand(self, do: str, **fields: object) -> AsyncIterator[Errand]:
        """Begin work on the machine that takes long, in a process of its own; it is given up when the context is left.

        Raises:
            LinkLostError: the link broke, or the machine has not been reached for too long.
            TransportError: the machine must not or cannot be used.
        """
        await self.folder()  # the program is there afterwards
        channel = await start_program(self._transport, "errand", folder=self._folder, python=self._python)
        try:
            errand = Errand(channel)
            await errand.say(do=do, **fields)
            yield errand
        finally:
            with anyio.CancelScope(shield=True):
                await channel.aclose()

    async def _until_done(self, work: Callable[[HostSession], Awaitable[_T]]) -> _T:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await work(await self._opened())
            except LinkLostError:
                now = self._clock.monotonic()
                if self._lost_since is None:
                    self._lost_since = now
                if now - self._lost_since >= self._patience_seconds:
                    raise
                if self._find_out is not None and (why := await self._find_out()) is not None:
                    raise LinkLostError(why) from None
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _opened(self) -> HostSession:
        async with self._opening:
            if self._session is not None and self._session.lost is None:
                return self._session
            if self._session is not None:
                old, self._session = self._session, None
                await old.aclose()
            session = await open_session(self._transport, folder=self._folder, python=self._python)
            self._tasks.start_soon(session.read)
            self._session = session
            self._lost_since = None
            return session
