"""The process that starts the steps of a run and looks after them, also when the driver has died.

Run as a script of its own, by path and with nothing but the standard library, so that it starts in milliseconds:

    python -I -S keeper.py JOURNAL REQUESTS EVENTS

REQUESTS is a socket: each line is a step to start, in JSON, and is answered by a line, `s PID` or `f MESSAGE`. EVENTS is a
pipe: `o ID SIZE` (there is so much output), `e ID SIZE CODE` (the command has ended), `c ID SIZE` (nobody can print any
more), `x ID SIZE` (its output cannot be kept any more: the disk is full). JOURNAL is a file that gets a line before a step is started, when it was, and when it has ended; whoever drives the
run next learns from it what became of a step. What a step prints is moved from its pipe to its spool, a file that is made
when there is something to put into it; a request says how much of it is kept at `most`.

It ends when the driver is gone and so is everything it started.
"""

import contextlib
import fcntl
import json
import os
import select
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Keeper"]

_CHUNK_BYTES = 1024 * 1024
_MOST_CHUNKS = 8
"""How much is moved from one pipe before others get a turn."""


class Step:
    """A started command: its pipe while that is open, its spool once there is one."""

    def __init__(self, request: dict[str, Any], pipe: int, process: "subprocess.Popen[bytes]") -> None:
        self.id: int = request["id"]
        self.name: str = request["name"]
        self.path: str = request["spool"]
        self.most: int = request["most"]
        self.pipe = pipe
        self.process: subprocess.Popen[bytes] | None = process
        self.spool = -1
        self.size = 0

    def move(self) -> bool:
        """Move what is in the pipe to the spool, and nowhere when that is full; False at the end of the pipe."""
        for _ in range(_MOST_CHUNKS):
            room = min(self.most - self.size, _CHUNK_BYTES)
            try:
                if not room:
                    moved = len(os.read(self.pipe, _CHUNK_BYTES))
                elif hasattr(os, "splice") and self.spool >= 0:
                    moved = self._splice(room)
                else:
                    moved = self._copy(room)
            except BlockingIOError:
                return True
            if not moved:
                return False
            self.size += min(moved, room)
        return True

    def _splice(self, most: int) -> int:
        return os.splice(self.pipe, self.spool, most, flags=os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE)

    def _copy(self, most: int) -> int:
        data = os.read(self.pipe, most)
        if data and self.spool < 0:
            self.spool = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.spool, rest) :]
        return len(data)

    def close(self) -> None:
        """Close the pipe and the spool."""
        for descriptor in (self.pipe, self.spool):
            if descriptor >= 0:
                os.close(descriptor)
        self.pipe = self.spool = -1


class Keeper:
    """One loop over everything that can happen."""

    def __init__(self, journal: str, requests: int, events: int) -> None:
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.journal, fcntl.LOCK_SH)  # tells others that steps of this run live
        os.dup2(self.journal, sys.stderr.fileno())  # a traceback is better there than nowhere
        self.requests = requests
        self.events = events
        self.steps: dict[int, Step] = {}
        self.pending: dict[tuple[str, int], bytes] = {}
        self.unread = b""
        self.has_driver = True
        self.selector = selectors.DefaultSelector()
        self.woken, wake = os.pipe()
        for descriptor in (self.woken, wake, events):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # what is ignored stays so in every step, and a script's `skyflow run ... &` ignores SIGINT; a handler does not
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self.selector.register(self.woken, selectors.EVENT_READ, self.reap)
        self.selector.register(requests, selectors.EVENT_READ, self.read_requests)

    def run(self) -> None:
        """Work until the driver is gone and so is everything that was started."""
        while self.has_driver or self.steps:
            for key, _ in self.selector.select():
                perform: Callable[[], None] = key.data
                perform()
            self.flush()

    def note(self, **line: str | int) -> None:
        """Add a line to the journal."""
        os.write(self.journal, (json.dumps(line) + "\n").encode())

    def tell(self, kind: str, step: Step, *numbers: int) -> None:
        """Keep an event for the driver; of the sizes of one output only the last is of interest."""
        self.pending[kind, step.id] = f"{kind} {step.id} {' '.join(map(str, numbers))}\n".encode()

    def flush(self) -> None:
        """Tell the driver as much as fits into the pipe; the rest when there is room.

        What is known by now goes in one piece where it can, so that the driver wakes up once. No piece is larger than what
        a pipe takes whole or not at all.
        """
        while self.pending and self.has_driver:
            keys: list[tuple[str, int]] = []
            lines = b""
            for key, line in self.pending.items():
                if keys and len(lines) + len(line) > select.PIPE_BUF:
                    break
                keys.append(key)
                lines += line
            try:
                os.write(self.events, lines)
            except BlockingIOError:
                break
            except OSError:
                self.driver_is_gone()
                return
            for key in keys:
                del self.pending[key]
        wants = bool(self.pending) and self.has_driver
        if wants != (self.events in self.selector.get_map()):
            if wants:
                self.selector.register(self.events, selectors.EVENT_WRITE, self.flush)
            else:
                self.selector.unregister(self.events)

    def driver_is_gone(self) -> None:
        """Go on alone."""
        if not self.has_driver:
            return
        self.has_driver = False
        self.pending.clear()
        for descriptor in (self.requests, self.events):
            if descriptor in self.selector.get_map():
                self.selector.unregister(descriptor)
            os.close(descriptor)

    def read_requests(self) -> None:
        """Start what the driver asks for."""
        if not self.has_driver:
            return
        data = b""
        with contextlib.suppress(ConnectionError):
            data = os.read(self.requests, _CHUNK_BYTES)
        if not data:
            self.driver_is_gone()
            return
        self.unread += data
        *lines, self.unread = self.unread.split(b"\n")
        for line in lines:
            answer = self.start(json.loads(line))
            with contextlib.suppress(OSError):
                os.write(self.requests, answer)

    def start(self, request: dict[str, Any]) -> bytes:
        """Start a step and return the answer."""
        self.note(starting=request["name"])
        read_end, write_end = os.pipe()
        try:
            process = subprocess.Popen(
                request["command"],
                cwd=request["cwd"],
                env=request["env"],
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            os.close(read_end)
            self.note(refused=request["name"])
            return f"f {json.dumps(str(error))}\n".encode()
        finally:
            os.close(write_end)
        self.note(started=request["name"], pid=process.pid, keeper=os.getpid())
        os.set_blocking(read_end, False)
        _widen(read_end)
        step = self.steps[request["id"]] = Step(request, read_end, process)
        self.selector.register(read_end, selectors.EVENT_READ, lambda: self.read_output(step))
        return f"s {process.pid}\n".encode()

    def read_output(self, step: Step) -> None:
        """Move what a step has printed."""
        if step.pipe < 0:  # it was read to its end in this very turn
            return
        before = step.size
        try:
            is_open = step.move()
        except OSError as error:  # the disk is full: nothing of what it prints would be kept from here on
            self.note(truncated=step.name, reason=str(error))
            self.tell("x", step, step.size)
            is_open = False
        if is_open:
            if step.size > before:
                self.tell("o", step, step.size)
            return
        self.selector.unregister(step.pipe)
        step.close()
        self.tell("c", step, step.size)
        self.forget(step)
        self.see_end(step)  # nearly always it has ended: that was why

    def reap(self) -> None:
        """Look which steps have ended."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 4096)
        for step in list(self.steps.values()):
            self.see_end(step)

    def see_end(self, step: Step) -> None:
        """Tell how a step has ended, if it has, after all that it printed until then."""
        if step.process is None or step.process.poll() is None:
            return
        code = step.process.returncode
        step.process = None
        while step.pipe >= 0 and _has_data(step.pipe):
            self.read_output(step)
        code = code if code >= 0 else 128 - code
        self.note(ended=step.name, code=code)
        self.tell("e", step, step.size, code)
        self.forget(step)

    def forget(self, step: Step) -> None:
        """Stop looking after a step that is over in every respect."""
        if step.pipe < 0 and step.process is None:
            self.steps.pop(step.id, None)


def _has_data(pipe: int) -> bool:
    """Tell whether something can be read from a pipe at once, if only its end."""
    ready, _, _ = select.select([pipe], [], [], 0)
    return bool(ready)


def _widen(pipe: int) -> None:
    """Let a pipe hold more, so that its writer waits less often."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # the user has too many wide pipes: it works as well, only slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)


if __name__ == "__main__":
    Keeper(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
