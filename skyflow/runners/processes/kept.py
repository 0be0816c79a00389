"""The driver's side of the keeper: starts it, asks it to start steps, and hears what becomes of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from skyflow.runners.processes import keeper as keeper_script

__all__ = ["KeeperClient", "KeptProcess"]

_CHUNK_BYTES = 64 * 1024
_PARTING_SECONDS = 0.5
_KILLED = 128 + 9
"""What a step counts as having ended with when its keeper was killed, which nobody else can ask for its exit code."""


class KeptProcess:
    """A command that the keeper has started.

    `size` is how much it has printed so far, `exit_code` how it ended (killed by signal N: 128 + N). `is_closed` tells that
    nobody can print any more, `is_cut_off` that what it prints could not be kept.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.size = 0
        self.exit_code: int | None = None
        self.is_closed = False
        self.is_cut_off = False
        self._changed = anyio.Event()

    async def changed(self) -> None:
        """Wait until something of it has changed since the last time that was asked."""
        await self._changed.wait()
        self._changed = anyio.Event()

    def tell(self, kind: str, size: int, code: int | None = None) -> None:
        """Take an event in."""
        self.size = max(self.size, size)
        self.is_cut_off |= kind == "x"
        self.is_closed |= kind == "c"
        if kind == "e":
            self.exit_code = code
        self._changed.set()


class KeeperClient:
    """One keeper, and another one should it be killed."""

    def __init__(self, journal: Path, tasks: TaskGroup) -> None:
        self._journal = journal
        self._tasks = tasks
        self._requests: socket.socket | None = None
        self._events = -1
        self._last_id = 0
        self._kept: dict[int, KeptProcess] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the keeper, unless it runs; it takes requests from now on."""
        if self._process is not None:
            return
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        events, write_end = os.pipe()
        os.set_blocking(events, False)
        script = keeper_script.__file__
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", script, str(self._journal), str(theirs.fileno()), str(write_end)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(theirs.fileno(), write_end),
            )
        finally:
            theirs.close()
            os.close(write_end)
        self._requests, self._events = ours, events
        self._tasks.start_soon(self._listen, events)

    def launch(
        self, name: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], spool: Path, most_bytes: int
    ) -> KeptProcess:
        """Start a command, so much of whose output will be in the spool, a file that is made when it prints.

        Raises:
            OSError: it cannot be started.
        """
        self.start()
        self._last_id += 1
        request = {
            "id": self._last_id,
            "name": name,
            "command": list(command),
            "cwd": str(cwd),
            "env": dict(env),
            "spool": str(spool),
            "most": most_bytes,
        }
        try:
            kind, _, rest = self._ask(json.dumps(request).encode() + b"\n").partition(" ")
        except ConnectionError:  # it was killed, and we are the first to notice
            self._lose()
            self.start()
            kind, _, rest = self._ask(json.dumps(request).encode() + b"\n").partition(" ")
        if kind != "s":
            raise OSError(json.loads(rest))
        return self._kept.setdefault(self._last_id, KeptProcess(int(rest)))

    def close(self) -> None:
        """Let go of the keeper, which ends when everything that it has started has."""
        if self._requests is not None:
            self._requests.close()
        if self._process is not None:
            try:
                self._process.wait(_PARTING_SECONDS)
            except subprocess.TimeoutExpired:  # it has something to wait for itself
                self._process.returncode = 0
        self._requests = self._process = None

    def _ask(self, line: bytes) -> str:
        if self._requests is None:
            raise ConnectionError
        self._requests.sendall(line)
        answer = b""
        while not answer.endswith(b"\n"):
            data = self._requests.recv(_CHUNK_BYTES)
            if not data:
                raise ConnectionError
            answer += data
        return answer.decode()

    async def _listen(self, events: int) -> None:
        unread = b""
        try:
            while True:
                await anyio.wait_readable(events)
                data = os.read(events, _CHUNK_BYTES)
                if not data:
                    break
                *lines, unread = (unread + data).split(b"\n")
                for line in lines:
                    self._hear(line.decode())
        finally:
            os.close(events)
        if events == self._events:
            self._lose()

    def _hear(self, line: str) -> None:
        kind, identity, size, *code = line.split(" ")
        kept = self._kept.get(int(identity))
        if kept is None:
            return
        kept.tell(kind, int(size), int(code[0]) if code else None)
        if kept.is_closed and kept.exit_code is not None:
            del self._kept[int(identity)]

    def _lose(self) -> None:
        """Give up a keeper that was killed, and everything that it looked after."""
        if self._process is None:
            return
        self._process.wait()
        self._process = None
        if self._requests is not None:
            self._requests.close()
        self._requests, self._events = None, -1
        lost, self._kept = self._kept, {}
        for kept in lost.values():
            if kept.exit_code is None:
                kept.tell("e", kept.size, _KILLED)
            kept.tell("c", kept.size)
