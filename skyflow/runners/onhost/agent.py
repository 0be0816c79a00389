"""Runs the steps of one attempt inside of an allocation of a batch system, asked by files.

    python3 -I -S -c 'import sys; sys.path.insert(0, sys.argv.pop(1)); from ... import main; main()' PROGRAM FOLDER PLACE

A session runs elsewhere, on the login node; both see FOLDER. In `runs/PLACE/agent` there are, before the agent starts:

    asks    a line for each thing to do; the agent looks at its size again and again
    log     what the agent has to say, a line of words with tabs between them each
    end     stays empty until the agent has ended

A step is asked for with a file `ask` in its folder, which is gone before the step begins: it may hold secrets.
"""

from __future__ import annotations

import gc
import os
import select
import sys
import time

from skyflow.runners.onhost.lean import signal, suppress, unpack
from skyflow.runners.onhost.processes import signal_group, signal_tagged
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import append, read_bytes, read_piece
from skyflow.runners.onhost.steps import give_up, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from skyflow.runners.onhost.gang import Gang

__all__ = ["ASKS", "main"]

ASKS = "asks"
"""Where an agent is told what to do; when it is gone, so is the attempt."""
_MOST_ASKS_BYTES = 64 * 1024
_SHORTEST_WAIT_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 0.25
"""How often to look for something to do: often after something was done, and less and less often after it."""


class Agent:
    """Does what it is asked until it is told to leave, or what it is asked by is gone."""

    def __init__(self, folder: str, place: str) -> None:
        self.runs = os.path.join(folder, "runs")
        self.tag = f"{place}/"
        self.folder = os.path.join(self.runs, place, "agent")
        self.steps: dict[str, int] = {}  # those that run: a pipe that closes when they end
        self._gang: Gang | None = None
        self._alive, self._held = os.pipe()  # what a step has started holds the other end, unless it lets go of all
        self._offset = 0
        self._patience = -1.0
        self._wait = _SHORTEST_WAIT_SECONDS

    def serve(self) -> None:
        """Serve until told to leave."""
        again = int(os.environ.get("SLURM_RESTART_COUNT") or 0)
        if int(os.environ.get("SLURM_NNODES") or 1) > 1:
            from skyflow.runners.onhost.gang import Gang  # noqa: PLC0415 -- others start sooner without it

            self._gang = Gang()
        self.say("here", os.environ.get("SLURMD_NODENAME") or os.uname()[1], str(again))
        if again and self._asks():
            self._patience = 0  # the steps that were under way are lost, and the attempt with them
        while self._patience < 0:
            asks = self._asks()
            for ask in asks:
                self._do(*ask.split("\t"))
            self._wait = _SHORTEST_WAIT_SECONDS if asks else min(_LONGEST_WAIT_SECONDS, self._wait * 1.5)
            if self._wait == _LONGEST_WAIT_SECONDS and not os.path.isdir(self.folder):
                self._patience = 0
            self._reap()
        self._leave()

    def say(self, *words: str) -> None:
        """Tell whoever follows: `here NODE TIMES` at the start, with how often it was started before, or `term`."""
        with suppress(OSError):
            append(os.path.join(self.folder, "log"), "\t".join(words).encode() + b"\n")

    def _asks(self) -> list[str]:
        data = read_piece(os.path.join(self.folder, ASKS), _MOST_ASKS_BYTES, self._offset)
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return whole.decode().splitlines()

    def _do(self, what: str, *words: str) -> None:
        if what == "start":
            self._start(words[0])
        elif what == "signal":
            folder = os.path.join(self.runs, words[0])
            if self._gang is None or not self._gang.signal(folder, words[1]):
                signal_group(folder, words[1])
            if words[2]:
                signal_tagged(words[2], getattr(signal, f"SIG{words[1]}"))
        elif what == "leave":
            self._patience = float(words[0])

    def _start(self, step: str) -> None:
        folder = os.path.join(self.runs, step)
        if os.path.exists(os.path.join(folder, "begun")) or not os.path.exists(os.path.join(folder, "ask")):
            return  # it was asked for twice
        try:
            message = read_bytes(os.path.join(folder, "ask"), 1 << 30)
            os.unlink(os.path.join(folder, "ask"))
            ask: Any = unpack(message)
            if self._gang is not None:
                ask = self._gang.on_all(ask, folder)
            end, problem = start(ask, ask["script"], folder, [self._alive, *self.steps.values()], kept=self._held)
        except (OSError, RefusedError) as error:
            give_up(folder, str(error))
            return
        if problem:
            os.close(end)
            give_up(folder, problem)
        else:
            self.steps[step] = end

    def _reap(self) -> None:
        """Wait until there may be something to do, or a step has ended; one whose watcher was killed is lost."""
        for end in select.select(list(self.steps.values()), [], [], self._wait)[0]:
            step = next(name for name, pipe in self.steps.items() if pipe == end)
            os.close(self.steps.pop(step))
            self._wait = _SHORTEST_WAIT_SECONDS
            folder = os.path.join(self.runs, step)
            if os.path.isdir(folder) and not read_piece(os.path.join(folder, "end"), 1, 0):
                give_up(folder)

    def _leave(self) -> None:
        """End all that is left of the attempt here; what has let go of everything, Slurm ends.

        To look for processes is to look at all of them, which costs more than a small job.
        """
        os.close(self._held)
        may_be_left = not select.select([self._alive], [], [], 0)[0]
        if may_be_left and signal_tagged(self.tag, signal.SIGTERM):
            until = time.monotonic() + self._patience
            while time.monotonic() < until and signal_tagged(self.tag, 0):
                time.sleep(0.02)
            signal_tagged(self.tag, signal.SIGKILL)
        if os.path.isdir(self.folder):
            give_up(self.folder, "left")


def main() -> None:
    """Serve one attempt; that the batch system wants it to end is told, and steps may make use of the time they have."""
    gc.disable()  # there is nothing to collect
    os.umask(0o077)
    folder, place = sys.argv[1:3]
    agent = Agent(folder, place)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who watch over steps
    signal.signal(signal.SIGTERM, lambda *_: agent.say("term"))
    agent.serve()
    os._exit(0)  # the end of an interpreter takes as long as its start
