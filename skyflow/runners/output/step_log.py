"""The log file of a step, made when there is something to put into it, with its index."""

import os
from pathlib import Path

from skyflow._util.log_index import IndexWriter
from skyflow.errors import StoreError
from skyflow.ports.clock import Clock

__all__ = ["StepLog"]


class StepLog:
    """Appends to a log; whatever was written is in the file when `write` returns.

    A folder that was deleted meanwhile is made again: what a step prints next is kept.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._file = -1
        self._index: IndexWriter | None = None
        self._at_line_start = True

    def write(self, data: bytes) -> None:
        """Append.

        Raises:
            StoreError: the disk is full, or the file cannot be written for another reason.
        """
        try:
            index = self._index or self._open()
            if self._at_line_start:
                index.due(int(self._clock.now().timestamp() * 1000))
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise StoreError(
                f"the log {self._path} cannot be written: {error.strerror or error}",
                hint="make room, then `skyflow resume` goes on",
            ) from error
        index.wrote(data)
        self._at_line_start = data.endswith(b"\n")

    def close(self) -> None:
        """Close the file, if it was ever opened."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._index = None

    def _open(self) -> IndexWriter:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._file = os.open(self._path, flags, 0o666)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._path, flags, 0o666)
        self._index = IndexWriter(self._path, offset=os.fstat(self._file).st_size)
        return self._index
