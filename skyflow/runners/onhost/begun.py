"""The note of whatever watches over a step: that the step has begun, and who it is."""

from __future__ import annotations

import os

from skyflow.runners.onhost.small_files import read_bytes

__all__ = ["BEGUN", "Begun", "read_begun"]

BEGUN = "begun"
_MOST_BYTES = 4096


class Begun:
    """A step that has begun: its process, what watches over it, since when (see `started`), its folder in memory."""

    def __init__(self, pid: int, watcher: int, since: str, memory: str) -> None:
        self.pid = pid
        self.watcher = watcher
        self.since = since
        self.memory = memory

    def line(self) -> bytes:
        """Return what stands in the file."""
        return f"{self.pid} {self.watcher} {self.since} {self.memory}\n".encode(errors="surrogateescape")


def read_begun(step: str) -> Begun | None:
    """Return who watches over a step, by its folder; None if nobody has noted that completely."""
    line = read_bytes(os.path.join(step, BEGUN), _MOST_BYTES).decode(errors="surrogateescape")
    if not line.endswith("\n"):
        return None
    pid, watcher, since, memory = line[:-1].split(" ", 3)
    return Begun(int(pid), int(watcher), since, memory)
