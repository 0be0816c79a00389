"""The index beside a log: which line begins at which byte, and when it was written.

A file of fixed-size entries, made only when there is a second one: the first line is at the start of the log, and was
written when the step began, as far as anyone needs to know. An entry is due a tenth of a second or 64 KiB after the last
one, so that the index of a large log stays small and what was asked for is at most a short read away.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["IndexEntry", "IndexWriter", "at_line", "at_time", "index_path", "read_index"]

_ENTRY = struct.Struct("<qqq")
_DUE_MILLISECONDS = 100
_DUE_BYTES = 64 * 1024


class IndexEntry(NamedTuple):
    """A line that begins at a byte of the log, counted from 0, and when it was written: milliseconds since 1970, UTC."""

    offset: int
    line: int
    milliseconds: int


def index_path(log: Path) -> Path:
    """Return where the index of a log is."""
    return log.with_suffix(".index")


class IndexWriter:
    """Writes the index of one log while that grows."""

    def __init__(self, log: Path, *, offset: int = 0) -> None:
        """Begin, or go on at the end of what an earlier writer has left."""
        self._path = index_path(log)
        entries = read_index(log)
        self._last = entries[-1] if entries else IndexEntry(0, 0, 0)
        known = next((entry for entry in reversed(entries) if entry.offset <= offset), IndexEntry(0, 0, 0))
        self._offset, self._line = known.offset, known.line
        if offset > known.offset:
            with log.open("rb") as file:
                file.seek(known.offset)
                self._line += file.read(offset - known.offset).count(b"\n")
                self._offset = offset

    def due(self, milliseconds: int) -> None:
        """Add an entry if one is due; the next byte of the log begins a line."""
        milliseconds = max(milliseconds, self._last.milliseconds)  # a clock that steps back does not unsort the index
        here = IndexEntry(self._offset, self._line, milliseconds)
        if self._offset <= self._last.offset and self._last.offset:
            return  # an earlier driver has written this part of the log, and it is being written again
        if self._offset == 0:
            self._last = here
        elif (
            milliseconds - self._last.milliseconds >= _DUE_MILLISECONDS or here.offset - self._last.offset >= _DUE_BYTES
        ):
            with self._path.open("ab") as file:
                file.write(_ENTRY.pack(*here))
            self._last = here

    def wrote(self, data: bytes) -> None:
        """Take note of what was appended to the log."""
        self._offset += len(data)
        self._line += data.count(b"\n")


def read_index(log: Path) -> Sequence[IndexEntry]:
    """Return the entries of a log's index in order; an entry that was cut off by a crash is left out."""
    try:
        data = index_path(log).read_bytes()
    except FileNotFoundError:
        return ()
    whole = len(data) - len(data) % _ENTRY.size
    return [IndexEntry(*entry) for entry in _ENTRY.iter_unpack(data[:whole])]


def at_time(entries: Sequence[IndexEntry], milliseconds: int) -> IndexEntry:
    """Return the last entry that was written before a moment, or the beginning."""
    found = bisect_right(entries, milliseconds, key=lambda entry: entry.milliseconds)
    return entries[found - 1] if found else IndexEntry(0, 0, 0)


def at_line(entries: Sequence[IndexEntry], line: int) -> IndexEntry:
    """Return the last entry at or before a line, or the beginning."""
    found = bisect_right(entries, line, key=lambda entry: entry.line)
    return entries[found - 1] if found else IndexEntry(0, 0, 0)
