"""Does the same for many things at a time: with a bucket, most of the time is waiting."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
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
    work: Callable[[_Item, Callable[[], None]], _Result], items: Iterable[_Item], go_on: Callable[[], None]
) -> Iterator[_Result]:
    """Yield what the work returns for each item, in their order; with the first error all others are given up.

    Args:
        work: does something with an item; it gets a function to call now and then, which raises to give up.
        items: what to do it with.
        go_on: called now and then in this thread; raises to give up.
    """
    is_over = Event()

    def still() -> None:
        if is_over.is_set():
            raise _GivenUpError

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(work, item, still) for item in items]
        try:
            for future in futures:
                yield _result(future, go_on)
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
