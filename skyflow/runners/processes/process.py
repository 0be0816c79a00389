"""A process tree on this machine: started in its own session, waited for, and ended without leaving anything behind."""

import os
import signal
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import anyio

from skyflow.runners.processes.kept import KeptProcess

__all__ = ["TAG_VARIABLE", "KillLadder", "ProcessTree", "kill_tagged"]

TAG_VARIABLE = "SKYFLOW_PROCESS_TAG"
"""Set in every step's environment and inherited, so that a process is known as ours whatever it does to its session.

A skyflow inside a step of another adds its own part behind, so that the outer one knows those processes as well.
"""

_PROC = Path("/proc")
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class KillLadder:
    """How long a process may take to heed each signal before the next; GitHub's own times."""

    interrupt_seconds: float = 7.5
    """From SIGINT to SIGTERM."""
    terminate_seconds: float = 2.5
    """From SIGTERM to SIGKILL."""


class ProcessTree:
    """One started command with everything it starts.

    `kept` tells what becomes of it, `tag` is in the environment of every process of it, `spool` gets what they print.
    """

    def __init__(self, kept: KeptProcess, *, tag: str, spool: Path) -> None:
        self.kept, self.tag, self.spool = kept, tag, spool

    def has_members(self) -> bool:
        """Tell whether any process of its session's first group is left."""
        return self._signal(0)

    async def interrupt(self) -> None:
        """Send SIGINT to the process group."""
        self._signal(signal.SIGINT)

    async def terminate_rest(self, patience_seconds: float) -> None:
        """End what is left of the process group: SIGTERM, patience, SIGKILL."""
        if not self._signal(signal.SIGTERM):
            return
        with anyio.move_on_after(patience_seconds):
            while self.has_members():  # noqa: ASYNC110 -- the group has no descriptor that could be waited for
                await anyio.sleep(_POLL_SECONDS)
        self._signal(signal.SIGKILL)

    async def terminate(self) -> None:
        """Send SIGTERM to the process group."""
        self._signal(signal.SIGTERM)

    async def kill(self) -> None:
        """Send SIGKILL to the process group and to every process that carries the tag."""
        self._signal(signal.SIGKILL)
        kill_tagged(self.tag)

    def _signal(self, number: int) -> bool:
        try:
            os.killpg(self.kept.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True


def kill_tagged(part: str, *, spared: Collection[str] = ()) -> int:
    """Send SIGKILL to every process whose tag contains a part and none of the spared ones; return how many there were.

    Only Linux shows the environment of other processes; elsewhere nothing is found.
    """
    variable, sought = f"{TAG_VARIABLE}=".encode(), part.encode()
    count = 0
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
        except OSError:  # gone, or another user's
            continue
        tags = [pair for pair in environ if pair.startswith(variable) and sought in pair]
        if tags and not any(spare.encode() in tag for tag in tags for spare in spared):
            try:
                os.kill(int(entry.name), signal.SIGKILL)
                count += 1
            except ProcessLookupError:  # it ended in the meantime
                continue
    return count
