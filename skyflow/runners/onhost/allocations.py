"""What a session on a login node does about steps that run inside of allocations: their agents are told by files."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any

from skyflow.runners.onhost.agent import ASKS
from skyflow.runners.onhost.lean import pack
from skyflow.runners.onhost.small_files import append, read_bytes, write
from skyflow.runners.onhost.steps import give_up
from skyflow.runners.onhost.workspace import Workspaces

__all__ = ["AGENT", "Allocations"]

AGENT, _STEPS = "/agent", "/steps/"
_OF_A_STEP = ("shells", "suffix", "cwd", "env", "path", "files", "tag")


class Allocations(Workspaces):
    """What can be asked about attempts that have an agent; what has none runs on this machine."""

    def do_expect(self, ask: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Make ready for the agent of an attempt; say where its program is, and the folder that it will work in."""
        del data
        folder = self.path("runs", ask["folder"], "agent")
        os.makedirs(folder, 0o700, exist_ok=True)
        for name in (ASKS, "log", "end"):
            append(os.path.join(folder, name), b"")
        return {"program": _unpacked(sys.argv[0]), "folder": self.folder}

    def do_leave(self, ask: dict[str, Any], data: bytes) -> None:
        """Tell the agent of an attempt to end all that runs there, and then itself."""
        del data
        self._post(ask["folder"], "leave", str(ask["patience"]))

    def do_abandon(self, ask: dict[str, Any], data: bytes) -> None:
        """Take note that the agent of an attempt is dead: every step without an end is lost."""
        del data
        place = self.path("runs", ask["folder"])
        steps = os.path.join(place, "steps")
        with contextlib.suppress(FileNotFoundError):
            for folder in (os.path.join(place, "agent"), *(os.path.join(steps, name) for name in os.listdir(steps))):
                if os.path.isdir(folder) and not read_bytes(os.path.join(folder, "end"), 1):
                    give_up(folder)

    def has_agent(self, step: str) -> bool:
        """Tell whether a step runs inside of an allocation, or is the agent of one."""
        return self.is_inside(_place(step))

    def is_inside(self, place: str) -> bool:
        """Tell whether an attempt runs inside of an allocation."""
        return os.path.isdir(self.path("runs", place, "agent"))

    def start_inside(self, ask: dict[str, Any], script: bytes, folder: str) -> dict[str, Any]:
        """Pass on the order to start a step; asked again, it is passed on again, and heeded once."""
        place = _place(ask["step"])
        if read_bytes(self.path("runs", place, "agent", "end"), 1):
            give_up(folder)
        else:
            write(os.path.join(folder, "ask"), pack({**{name: ask[name] for name in _OF_A_STEP}, "script": script}))
            self._post(place, "start", ask["step"])
        return {"was": False}

    def signal_inside(self, step: str, name: str, tag: str) -> None:
        """Pass on a signal for a step, and for all with a tag if one is given."""
        self._post(_place(step), "signal", step, name, tag)

    def _post(self, place: str, *words: str) -> None:
        append(self.path("runs", place, "agent", ASKS), "\t".join(words).encode() + b"\n")


def _place(step: str) -> str:
    place, sign, _ = step.rpartition(_STEPS)
    return place if sign else step[: -len(AGENT)]


def _unpacked(program: str) -> str:
    """Return the folder that the program was unpacked to: from there it starts sooner than from the archive."""
    import compileall  # noqa: PLC0415 -- few sessions need it
    import zipfile  # noqa: PLC0415 -- as above

    folder = os.path.splitext(os.path.abspath(program))[0]
    if not os.path.isdir(folder):
        draft = f"{folder}.{os.getpid()}.new"
        with zipfile.ZipFile(program) as archive:
            archive.extractall(draft)
        compileall.compile_dir(draft, quiet=2)  # else the first agents would, all at once
        with contextlib.suppress(OSError):  # somebody else was quicker
            os.rename(draft, folder)
    return folder
