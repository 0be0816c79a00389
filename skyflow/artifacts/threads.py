"""Runs blocking work of a store in a worker thread, from where it can be cancelled."""

from collections.abc import Callable
from typing import TypeVar

import anyio.from_thread
import anyio.to_thread

from skyflow.ports.artifacts import ArtifactError

__all__ = ["in_thread"]

_Result = TypeVar("_Result")


async def in_thread(
    work: Callable[[Callable[[int], None]], _Result], moved: Callable[[int], None] | None = None
) -> _Result:
    """Return what the work returns; it gets a function to call with the bytes it has moved, which raises when cancelled.

    `moved` is called with these in the event loop.

    Raises:
        ArtifactError: as the work does, and in place of an OSError.
    """

    def go_on(size: int) -> None:
        anyio.from_thread.check_cancelled()
        if size and moved is not None:
            anyio.from_thread.run_sync(moved, size)

    try:
        return await anyio.to_thread.run_sync(work, go_on)
    except OSError as error:
        what = f"'{error.filename}': {error.strerror}" if error.filename else str(error)
        raise ArtifactError(f"the files cannot be stored or restored: {what}") from error
