"""A log that a later process can go on with: beside it stands how much of the output it holds.

The log holds whole lines, hidden texts taken out, so its size does not tell what has been read. Whoever goes on cuts the
log to what is certain, and reads on from there: nothing is lost, nothing comes twice.
"""

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

__all__ = ["ResumableLog"]


class ResumableLog:
    """The log of one step, open for writing, as a context."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = path.with_suffix(".read")
        self.offset = 0
        """How much of the output is in the log."""
        self.file: BinaryIO

    def __enter__(self) -> Self:
        """Open the log, cut to what is certain."""
        size = 0
        with suppress(OSError, ValueError):
            self.offset, size = json.loads(self._mark.read_text())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self._path.open("ab", buffering=0)
        if self._mark.exists():
            self.file.truncate(min(size, self._path.stat().st_size))
        return self

    def note(self, offset: int) -> None:
        """Remember that the output up to an offset is in the log."""
        self.offset = offset
        self._mark.write_text(json.dumps([offset, self.file.seek(0, 2)]))

    def forget(self) -> None:
        """Stop remembering: the step has ended."""
        self._mark.unlink(missing_ok=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the log."""
        self.file.close()
