"""Finds hosts that answer, without waiting for those that are silent."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from skyflow.ports.transport import TransportError

__all__ = ["first_that_answer"]

_Host = TypeVar("_Host")


async def first_that_answer(
    hosts: Sequence[_Host],
    count: int,
    check: Callable[[_Host], Awaitable[None]],
    *,
    patience_seconds: float,
) -> tuple[list[_Host], dict[int, TransportError | None]]:
    """Ask as many hosts as are needed at once, and one more whenever one fails or is silent for a while.

    Args:
        hosts: the best first.
        count: how many are needed.
        check: asks one, and raises a `TransportError` if it cannot be used.
        patience_seconds: how long a silence is before another one is asked as well.

    Returns:
        Those that answered, in their order, at most `count`. And the others that were asked, by their place: why they cannot
        be used, or None if they were silent so far.
    """
    answered: list[int] = []
    others: dict[int, TransportError | None] = {}
    news = anyio.Event()

    async def ask(number: int) -> None:
        try:
            await check(hosts[number])
        except TransportError as error:
            others[number] = error
        else:
            del others[number]
            answered.append(number)
        news.set()

    async with anyio.create_task_group() as tasks:
        asked = 0

        def ask_next() -> None:
            nonlocal asked
            others[asked] = None
            tasks.start_soon(ask, asked)
            asked += 1

        while len(answered) < count:
            silent = sum(error is None for error in others.values())
            while asked < len(hosts) and silent + len(answered) < count:
                ask_next()
                silent += 1
            if not silent:
                break
            news = anyio.Event()
            with anyio.move_on_after(patience_seconds) as pause:
                await news.wait()
            if pause.cancelled_caught and asked < len(hosts):
                ask_next()
        tasks.cancel_scope.cancel()
    return [hosts[number] for number in sorted(answered[:count])], others
