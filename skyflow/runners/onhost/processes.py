"""Processes, as Linux shows them."""

from __future__ import annotations

import os

from skyflow.runners.onhost.begun import read_begun
from skyflow.runners.onhost.lean import signal, suppress
from skyflow.runners.onhost.small_files import read_bytes, read_text

__all__ = ["TAG_VARIABLE", "is_running", "signal_group", "signal_tagged", "started"]

TAG_VARIABLE = "SKYFLOW_MACHINE_TAG"
"""Set in the environment of every step and inherited, so that its processes are known whatever they do."""
_PROC = "/proc"
_MOST_ENVIRONMENT_BYTES = 1024 * 1024


def started(pid: int) -> str:
    """Return when a process began, in a form that only serves to be compared; empty if it is gone or a zombie."""
    fields = read_text(f"{_PROC}/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else ""


def is_running(pid: int, since: str) -> bool:
    """Tell whether a process is still the one that began then."""
    if os.path.isdir(_PROC):
        return started(pid) == since != ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def signal_group(step: str, name: str) -> None:
    """Send a signal to the process group of a step, by its folder, if it still runs."""
    begun = read_begun(step)
    ended = read_bytes(os.path.join(step, "end"), 1)
    if begun and not ended and is_running(begun.watcher, begun.since):
        with suppress(ProcessLookupError):
            os.killpg(begun.pid, getattr(signal, f"SIG{name}"))


def signal_tagged(part: str, number: int) -> int:
    """Send a signal to all processes whose tag contains a part, and return how many there are; only on Linux."""
    variable, sought, count = (TAG_VARIABLE + "=").encode(), part.encode(), 0
    for name in os.listdir(_PROC) if os.path.isdir(_PROC) else []:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        pairs = read_bytes(f"{_PROC}/{name}/environ", _MOST_ENVIRONMENT_BYTES).split(b"\0")
        if any(pair.startswith(variable) and sought in pair for pair in pairs):
            with suppress(OSError):
                os.kill(int(name), number)
                count += 1
    return count
