"""From the bytes that a step prints to masked whole lines in a log file and on the screen."""

from collections.abc import Callable
from typing import Protocol

from skyflow.model.annotation import AnnotationLevel
from skyflow.runners.output.commands import may_hold_command
from skyflow.runners.output.obey import StepCommands

__all__ = ["LONGEST_LINE_BYTES", "LogFile", "LogWriter"]

LONGEST_LINE_BYTES = 1024 * 1024
"""A longer line is passed on in pieces, so that memory stays flat; no command is looked for in it."""


class LogFile(Protocol):
    """Where lines are kept."""

    def write(self, data: bytes, /) -> object:
        """Append."""
        ...

    def close(self) -> None:
        """Write no more."""
        ...


class LogWriter:
    """Takes output as it comes, in any pieces, and passes on whole masked lines.

    Lines that are workflow commands are obeyed. In the log stands what they are to be seen as, if anything: a line that
    begins with a tag (`skyflow.model.annotation.LineTag`). What a step prints when the room for it is taken goes nowhere.
    """

    def __init__(self, log: LogFile, commands: StepCommands, show: Callable[[str], None]) -> None:
        self._log = log
        self._commands = commands
        self._masks = commands.memory.masks
        self._matchers = commands.memory.matchers
        self._show = show
        self._pending = b""
        self._is_mid_line = False

    def feed(self, data: bytes) -> None:
        """Take the next piece of output."""
        kept = self._commands.room.take(len(data))
        if kept:
            self._feed(data if kept == len(data) else data[:kept])
        if kept < len(data) and (word := self._commands.room.last_word()):
            self._pending = b""  # half a line may end in half a secret
            self.finish()
            self.add(self._commands.issue(AnnotationLevel.WARNING, word))

    def _feed(self, data: bytes) -> None:
        data = self._pending + data
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) > LONGEST_LINE_BYTES:
            shown, self._pending = self._masks.hide_begun(data)
            self._put(shown)
            self._is_mid_line = True
            return
        if end:
            self._lines(data[:end])
        self._pending = data[end:]

    def finish(self) -> None:
        """Pass on what is left after the last newline."""
        if self._pending or self._is_mid_line:
            self._lines(self._pending + b"\n")
            self._pending = b""

    def add(self, lines: str) -> None:
        """Pass on lines of the runner's own."""
        if lines:
            self._pass_on(_encoded(lines))

    def _lines(self, data: bytes) -> None:
        if self._is_mid_line:
            self._is_mid_line = False
            end = data.index(b"\n") + 1
            self._pass_on(data[:end])
            data = data[end:]
        if not self._matchers and not may_hold_command(data):  # nearly all output: one pass over the whole block
            self._pass_on(data)
            return
        with self._matchers.watched():
            self._one_by_one(data.splitlines(keepends=True))

    def _one_by_one(self, lines: list[bytes]) -> None:
        kept: list[bytes] = []
        for line in lines:
            may_be_command = may_hold_command(line)
            if not self._matchers and not may_be_command:
                kept.append(line)
                continue
            text = line.rstrip(b"\r\n").decode(errors="surrogateescape")
            command = self._commands.parse(text) if may_be_command else None
            if command is None:
                matched = self._commands.match(text)
                kept.append(line if matched is None else _encoded(matched))
                continue
            if command.name == "add-mask":  # what was printed before is masked by what was known then
                self._pass_on(b"".join(kept))
                kept.clear()
            shown = self._commands.obey(command, text)
            if shown:
                kept.append(_encoded(shown))
        self._pass_on(b"".join(kept))

    def _pass_on(self, data: bytes) -> None:
        if data:
            self._put(self._masks.hide(data))

    def _put(self, hidden: bytes) -> None:
        self._log.write(hidden)
        self._show(hidden.decode(errors="replace"))


def _encoded(lines: str) -> bytes:
    return f"{lines}\n".encode(errors="surrogateescape")
