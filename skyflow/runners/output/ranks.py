"""Output of a step that runs on several machines: every line is shown with the rank of its machine in front."""

import re
from collections.abc import Callable

from skyflow.runners.output.lines import LONGEST_LINE_BYTES, LogFile, LogWriter
from skyflow.runners.output.obey import StepCommands

__all__ = ["RankedWriter", "mark"]

_LABEL = re.compile(rb" *(\d{1,5}): ?")
"""What `srun --label` puts in front of a line."""


def mark(rank: int | None) -> str:
    """Return what stands in front of the lines of a machine; nothing where they are of none."""
    return "" if rank is None else f"[{rank}] "


class RankedWriter:
    """Takes lines that begin with a rank and a colon, in any pieces, as `LogWriter` takes those of one machine.

    A line without a rank is one of whatever runs the step on the machines.
    """

    def __init__(self, log: LogFile, commands: StepCommands, show: Callable[[str], None]) -> None:
        self._log = log
        self._commands = commands
        self._show = show
        self._writers: dict[int | None, LogWriter] = {}
        self._pending = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece of output."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._pending) > LONGEST_LINE_BYTES:
            self.finish()

    def finish(self) -> None:
        """Pass on what is left after the last newline."""
        if self._pending:
            self._take(self._pending)
            self._pending = b""

    def _take(self, line: bytes) -> None:
        label = _LABEL.match(line)
        rank = None if label is None else int(label[1])
        rest = line if label is None else line[label.end() :]
        self._writer(rank).feed(rest + b"\n")

    def _writer(self, rank: int | None) -> LogWriter:
        if rank not in self._writers:
            marked = _Marked(self._log, self._show, mark(rank))
            self._writers[rank] = LogWriter(marked, self._commands, marked.show)
        return self._writers[rank]


class _Marked:
    """A log whose lines get a mark in front."""

    def __init__(self, log: LogFile, show: Callable[[str], None], text: str) -> None:
        self._log = log
        self._show = show
        self._text = text

    def write(self, data: bytes) -> None:
        """Append whole lines."""
        begin = self._text.encode()
        self._log.write(b"".join(begin + line for line in data.splitlines(keepends=True)))

    def close(self) -> None:
        """Leave the log as it is: others write to it, too."""

    def show(self, text: str) -> None:
        """Show whole lines."""
        self._show("".join(self._text + line for line in text.splitlines(keepends=True)))
