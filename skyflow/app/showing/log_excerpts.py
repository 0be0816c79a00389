"""Parts of logs that a page has room for: whole lines of the beginning and, as how it ended matters more, of the end."""

import os
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from pathlib import Path

from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.model.run import StepRecord
from skyflow.model.status import Status
from skyflow.report.page.data import LogExcerpt

__all__ = ["GrowingLogs", "excerpt"]

_ROOM_BYTES = 400_000
"""For the logs of a run that goes on, together; the part of each does not depend on how long the others have become."""
_LEAST_BYTES, _MOST_BYTES = 300, 16_000

_HEAD = 0.25
"""The share of what is shown of a long log that is its beginning."""


def excerpt(path: Path, *, size: int, limit: int) -> LogExcerpt:
    """Return whole lines of a log, its beginning and its end, of at most so many bytes."""
    with path.open("rb") as file:
        if size <= limit:
            return LogExcerpt(_text(file.read()))
        head = file.read(int(limit * _HEAD))
        head = head[: head.rfind(b"\n") + 1]
        file.seek(size - (limit - int(limit * _HEAD)))
        tail = file.read(limit)
        tail = tail[tail.find(b"\n") + 1 :]
    return LogExcerpt(_text(head), size - len(head) - len(tail), _text(tail))


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


class GrowingLogs:
    """Parts of the logs of a run that goes on, of which only those are read again that may have grown.

    Args:
        folder: the run.
        jobs: how many share the room.
    """

    def __init__(self, folder: RunFolder, *, jobs: int) -> None:
        self._folder = folder
        self._limit = max(_LEAST_BYTES, min(_MOST_BYTES, _ROOM_BYTES // max(1, jobs)))
        self._sizes: dict[StepRef, int] = {}
        self._shown: dict[StepRef, LogExcerpt] = {}
        self._running: frozenset[StepRef] = frozenset()

    def grown(self) -> set[str]:
        """Return the keys of the jobs of which a running step has printed something since it was last read."""
        return {ref.job_key for ref in self._running if self._size(ref) != self._sizes.get(ref, 0)}

    def read(self, steps: Iterable[StepRecord], changed: AbstractSet[str]) -> dict[StepRef, LogExcerpt]:
        """Return parts of the logs of steps, read again for jobs that have `changed` or were not known."""
        running = set()
        for step in steps:
            ref = StepRef(step.job_key, step.attempt, step.position)
            if step.status is Status.IN_PROGRESS:
                running.add(ref)
            if step.job_key in changed or ref not in self._sizes:
                self._read(ref, self._limit if step.status is Status.COMPLETED else _MOST_BYTES)
        self._running = frozenset(running)
        return dict(self._shown)

    def _read(self, ref: StepRef, limit: int) -> None:
        size = self._sizes[ref] = self._size(ref)
        if size:
            self._shown[ref] = excerpt(self._folder.log(ref), size=size, limit=limit)

    def _size(self, ref: StepRef) -> int:
        try:
            return os.stat(self._folder.log(ref)).st_size  # noqa: PTH116 -- asked ten times a second
        except FileNotFoundError:
            return 0
