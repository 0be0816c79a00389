"""What the log of a job says about its containers."""

from collections.abc import Iterator
from contextlib import contextmanager

from skyflow.model.annotation import LineTag
from skyflow.runners.output.lines import LogWriter

__all__ = ["ContainerLog"]


class ContainerLog:
    """Writes groups of lines; what engines and services print is masked, and no command in it is obeyed."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer
        self._pending = b""

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put what is said meanwhile into a group; it ends where an error makes an end, so that this one is seen."""
        self.say(f"{LineTag.GROUP}{title}")
        try:
            yield
        finally:
            self.raw(b"\n" if self._pending else b"")
            self.say(LineTag.END_GROUP)

    def say(self, text: str) -> None:
        """Write lines of our own."""
        self._writer.add(text)

    def raw(self, data: bytes) -> None:
        """Write the output of a program as it comes, in whole lines."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if lines:
            self._writer.add(b"\n".join(lines).decode(errors="surrogateescape").replace("\r", ""))
