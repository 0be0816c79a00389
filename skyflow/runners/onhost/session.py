"""One session: requests come in, answers and news about steps go out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from typing import Any

from skyflow.runners.onhost.allocations import AGENT, Allocations
from skyflow.runners.onhost.begun import BEGUN, read_begun
from skyflow.runners.onhost.messages import HEADER, send
from skyflow.runners.onhost.processes import signal_group, signal_tagged
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import CHUNK_BYTES, read_bytes, read_text, remove
from skyflow.runners.onhost.steps import ANSWERS, Follower, start

__all__ = ["Session", "main"]

_MOST_ANSWER_BYTES = 16 * 1024 * 1024


class Session(Allocations):
    """Does what it is asked, one request after the other, and tells about the steps that are followed."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.followed: dict[str, Follower] = {}
        self.ends: dict[str, int] = {}  # of steps that this session has started: a pipe that closes when they end
        self._inbox = bytearray()

    def serve(self) -> None:
        """Serve until the input ends."""
        is_open = True
        while is_open:
            due = min((follower.due for follower in self.followed.values()), default=None)
            patience = None if due is None else max(0.0, due - time.monotonic())
            ready = select.select([0, *self.ends.values()], [], [], patience)[0]
            if 0 in ready:
                data = os.read(0, 4 * CHUNK_BYTES)
                is_open = bool(data)
                self._inbox += data
                self._take()
            now = time.monotonic()
            for follower in list(self.followed.values()):
                if follower.due <= now or self.ends.get(follower.step) in ready:
                    follower.rest(now, has_news=self._tell(follower))

    def _take(self) -> None:
        """Do what has been asked completely."""
        at = 0
        while len(self._inbox) - at >= HEADER.size:
            head, body = HEADER.unpack_from(self._inbox, at)
            begin = at + HEADER.size
            if len(self._inbox) < begin + head + body:
                break
            ask = json.loads(bytes(self._inbox[begin : begin + head]).decode())
            self._do(ask, bytes(self._inbox[begin + head : begin + head + body]))
            at = begin + head + body
        del self._inbox[:at]

    def _do(self, ask: dict[str, Any], data: bytes) -> None:
        answer: dict[str, Any] = {}
        body = b""
        try:
            done = getattr(self, "do_" + ask["do"])(ask, data)
            answer, body = done if isinstance(done, tuple) else (done or {}, b"")
        except RefusedError as error:
            answer = {"error": str(error)}
        except OSError as error:
            answer = {"error": f"{error.strerror}: '{error.filename}'" if error.filename else str(error.strerror)}
        answer["re"] = ask["id"]
        send(answer, body)

    def _tell(self, follower: Follower) -> bool:
        """Tell what is new of a step; false if nothing is."""
        ended = follower.step in self.ends and bool(select.select([self.ends[follower.step]], [], [], 0)[0])
        ended = ended or follower.has_ended()
        data = follower.read()
        if data:
            send({"event": "output", "step": follower.step, "offset": follower.offset - len(data)}, data)
            return True
        if ended:
            self.followed.pop(follower.step)
            if follower.step in self.ends:
                os.close(self.ends.pop(follower.step))
            send(*self._end_of(follower.step))
            return True
        return False

    def _end_of(self, step: str) -> tuple[dict[str, Any], bytes]:
        folder = self.path("runs", step)
        end = read_text(os.path.join(folder, "end"))
        answers = [read_bytes(os.path.join(folder, name), _MOST_ANSWER_BYTES) for name in ANSWERS]
        told = {
            "event": "ended",
            "step": step,
            "code": int(end) if end.strip().isdigit() else None,
            "problem": end[1:] if end.startswith("!") else "",
            "sizes": list(map(len, answers)),
            "full": os.statvfs(self.folder).f_bavail == 0,
        }
        return told, b"".join(answers)

    # ------------------------------------------------------------------------------------------- what can be asked

    def do_hello(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Say where things are on this machine."""
        del ask, data
        os.makedirs(self.folder, 0o700, exist_ok=True)
        self.forget_old()
        here = os.environ.get("SSH_CONNECTION", "").split()
        return {
            "folder": self.folder,
            "home": os.path.expanduser("~"),
            "pid": os.getpid(),
            "address": here[2] if len(here) > 2 else "127.0.0.1",  # noqa: PLR2004 -- client, its port, server, its port
        }

    def do_start(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Start a step, unless it was started before: an answer that got lost starts nothing twice."""
        step = ask["step"]
        folder = self.path("runs", step)
        os.makedirs(folder, 0o700, exist_ok=True)
        if os.path.exists(os.path.join(folder, BEGUN)):
            return {"was": True}
        for name in ("log", "end", *ask["files"].values()):
            os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600))
        if self.has_agent(step):
            return self.start_inside(ask, data, folder)
        try:
            end, problem = start(ask, data, folder, list(self.ends.values()))
        except OSError:
            remove(folder)  # so that trying again is possible
            raise
        if problem:
            os.close(end)
            remove(folder)
            raise RefusedError(problem)
        self.ends[step] = end
        return {"was": False}

    def do_follow(self, ask: dict[str, Any], data: bytes) -> None:
        """Tell what a step prints from an offset on, and how it ends."""
        del data
        step = ask["step"]
        self.followed[step] = Follower(
            step, self.path("runs", step), ask["offset"], inside=self.has_agent(step), is_agent=step.endswith(AGENT)
        )

    def do_leave(self, ask: dict[str, Any], data: bytes) -> None:
        """Tell the agent of an attempt to end all that runs there, and then itself; it will say so before long."""
        super().do_leave(ask, data)
        agent = self.followed.get(ask["folder"] + AGENT)
        if agent is not None:
            agent.hurry()

    def do_signal(self, ask: dict[str, Any], data: bytes) -> None:
        """Send a signal to the process group of a step that runs, and to all with a tag if one is given."""
        del data
        if self.has_agent(ask["step"]):
            self.signal_inside(ask["step"], ask["signal"], ask.get("tag", ""))
            return
        signal_group(self.path("runs", ask["step"]), ask["signal"])
        if ask.get("tag"):
            signal_tagged(ask["tag"], getattr(signal, f"SIG{ask['signal']}"))

    def do_finish(self, ask: dict[str, Any], data: bytes) -> None:
        """Forget a step whose end has been heard of."""
        del data
        remove(self.path("runs", ask["step"]))

    def do_release(self, ask: dict[str, Any], data: bytes) -> None:
        """End what an attempt, or a whole run, has left running, and remove its files; an agent has ended its own."""
        del data
        if not self.is_inside(ask["folder"]) and signal_tagged(ask["tag"], signal.SIGTERM):
            until = time.monotonic() + ask["patience"]
            while time.monotonic() < until and signal_tagged(ask["tag"], 0):
                time.sleep(0.02)
            signal_tagged(ask["tag"], signal.SIGKILL)
        self._remove_attempts(self.path("runs", ask["folder"]))

    def do_sweep(self, ask: dict[str, Any], data: bytes) -> None:
        """End everything of a run but some attempts, and remove its files."""
        del data
        folder = self.path("runs", ask["run"])
        kept = {self.path("runs", place) for place in ask["kept"]}
        attempts = [base for base, folders, _ in os.walk(folder) if "temp" in folders]
        for base in attempts:
            if base not in kept:
                signal_tagged(os.path.relpath(base, self.path("runs")) + "/", signal.SIGKILL)
                self._remove_attempts(base)

    def _remove_attempts(self, folder: str) -> None:
        for base, _, names in os.walk(folder):
            begun = read_begun(base) if BEGUN in names else None
            if begun is not None:  # what it has in memory goes too
                remove(begun.memory)
        remove(folder)


def main() -> None:
    """Serve one session, or run an errand; nothing that is copied to the machine may be read by other users."""
    os.umask(0o077)
    if len(sys.argv) > 2:  # noqa: PLR2004 -- the program, its folder, and more
        from skyflow.runners.onhost import errands  # noqa: PLC0415 -- a session starts sooner without it

        errands.main(sys.argv[1], sys.argv[2:])
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who watch over steps
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        Session(sys.argv[1]).serve()
