"""Does the same for many things at a time: with a bucket, most of the time is waiting."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

__all__ = ["AT_ONCE", "at_once"]

AT_ONCE = 16
_LOOK_SECONDS = 0.1

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class _GivenUpError(Exception):
    """Another one has failed, or whoever asked has given up."""


def at_once(
    work: Callable[[_Item, Callable[[int], None]], _Result], items: Iterable[_Item], go_on: Callable[[int], None]
) -> Iterator[_Result]:
    """Yield what the work returns for each item, in their order; with the first error all others are given up.

    Args:
        work: does something with an item; it gets a function to call with the bytes it has moved, which raises to give up.
        items: what to do it with.
        go_on: called now and then in this thread, with the bytes that all have moved since; raises to give up. A single item
            is worked on in this thread, and calls it itself.
    """
    is_over = Event()
    moved: SimpleQueue[int] = SimpleQueue()

    def still(size: int) -> None:
        moved.put(size)
        if is_over.is_set():
            raise _GivenUpError

    def go_on_with_all() -> None:
        total = 0
        while not moved.empty():
            total += moved.get()
        go_on(total)

    items = list(items)
    if len(items) == 1:  # a thread costs more than most files
        yield work(items[0], go_on)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, item, still) for item in items]
        try:
            for future in futures:
                yield _result(future, go_on_with_all)
            go_on_with_all()
        finally:
            is_over.set()
            for future in futures:
                future.cancel()


def _result(future: "Future[_Result]", go_on: Callable[[], None]) -> _Result:
    while True:
        go_on()
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except NotYet:
            if future.done():  # the work itself has timed out
                raise
