"""What a step prints, read from its spool as it grows."""

import os
from pathlib import Path

import anyio.lowlevel

from skyflow.errors import StoreError
from skyflow.runners.output.lines import LogFile, LogWriter
from skyflow.runners.processes.kept import KeptProcess

__all__ = ["SpoolReader"]

_CHUNK_BYTES = 512 * 1024


class SpoolReader:
    """Moves what a step prints from its spool to a log writer, and closes the log at the end."""

    def __init__(self, spool: Path, kept: KeptProcess, log: LogFile, writer: LogWriter) -> None:
        self._spool = spool
        self._kept = kept
        self._log = log
        self._writer = writer
        self._file = -1
        self._offset = 0

    async def until_end(self) -> int:
        """Read until the command has ended, and all that it printed; return its exit code.

        Raises:
            StoreError: what it prints cannot be kept.
        """
        while True:
            ended = self._kept.exit_code
            await self._read()
            if ended is not None:
                self._writer.finish()
                return ended
            await self._kept.changed()

    async def until_closed(self) -> None:
        """Read on until nobody can print any more, and close the log."""
        try:
            while True:
                is_closed = self._kept.is_closed
                await self._read()
                if is_closed:
                    self._writer.finish()
                    return
                await self._kept.changed()
        finally:
            self.close()

    def close(self) -> None:
        """Close the spool and the log."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._log.close()

    async def _read(self) -> None:
        while self._offset < self._kept.size:
            if self._file < 0:
                self._file = os.open(self._spool, os.O_RDONLY | os.O_CLOEXEC)
            data = os.pread(self._file, min(_CHUNK_BYTES, self._kept.size - self._offset), self._offset)
            if not data:  # it was cut off by somebody; what is gone is gone
                self._offset = self._kept.size
                return
            self._offset += len(data)
            self._writer.feed(data)
            await anyio.lowlevel.checkpoint()
        if self._kept.is_cut_off:
            raise StoreError(
                f"what the step prints cannot be written to {self._spool}: the disk is full",
                hint="make room, then `skyflow resume` goes on",
            )
