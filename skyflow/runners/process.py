"""A process tree on this machine: started in its own session, waited for, and ended without leaving anything behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

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

    `output_fd` is the non-blocking read end of a pipe that carries both standard output and standard error.
    """

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], tag: str) -> None:
        """Start the command.

        Raises:
            OSError: it cannot be started.
        """
        self.tag = tag
        read_end, write_end = os.pipe2(os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        try:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**env, TAG_VARIABLE: tag},
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except OSError:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        os.set_blocking(read_end, False)
        self.output_fd = read_end

    async def wait(self) -> int:
        """Wait for the started command itself and return its exit code; killed by signal N gives 128 + N."""
        if hasattr(os, "pidfd_open"):
            pidfd = os.pidfd_open(self._popen.pid)
            try:
                await anyio.wait_readable(pidfd)
            finally:
                os.close(pidfd)
            code = self._popen.wait()
        else:
            code = await anyio.to_thread.run_sync(self._popen.wait)
        return code if code >= 0 else 128 - code

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
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return False
        except PermissionError:  # macOS says so of a group of zombies
            return False
        return True


def kill_tagged(part: str) -> int:
    """Send SIGKILL to every process whose tag contains a part, and return how many there were.

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
        if any(pair.startswith(variable) and sought in pair for pair in environ):
            try:
                os.kill(int(entry.name), signal.SIGKILL)
                count += 1
            except ProcessLookupError:  # it ended in the meantime
                continue
    return count
