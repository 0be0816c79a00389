"""Lets one other machine fetch the data of a run from here over SSH, with a key that is good for nothing else.

The public key of the other machine, which it has made for this, is a line of `~/.ssh/authorized_keys` for as long as
`lend` is used as a context. The line allows one command, and after some minutes not even that: should this machine
lose its power meanwhile, what is left is of no use to anybody, and goes when something is lent again.

What is spoken over that command is `DIGEST OFFSET` and a line feed for each content that is asked for; the answer is the
number of bytes that follow, in eight bytes, and these. The highest number there is says that the content is not here.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import re
import shlex
import struct
import subprocess
import sys
import time

from skyflow.runners.onhost.data import RunData, is_digest
from skyflow.runners.onhost.refused import RefusedError
from skyflow.runners.onhost.small_files import CHUNK_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

__all__ = ["LENGTH", "NOT_HERE", "lend", "serve"]

LENGTH = struct.Struct(">Q")
NOT_HERE = (1 << 64) - 1

_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/=]+")
_MARK = "skyflow-lent-until-"
_VALID_SECONDS = 300.0
"""How long somebody may still begin to fetch; what has begun goes on."""
_SCAN_SECONDS = 5


@contextlib.contextmanager
def lend(folder: str, run: str, key: str) -> Iterator[dict[str, Any]]:
    """Let whoever has a key fetch data of a run; give what is needed to reach this machine.

    Args:
        folder: that of skyflow.
        run: which run.
        key: the public key.

    Raises:
        RefusedError: this machine cannot tell how it is reached.
        OSError: the file of keys cannot be written.
    """
    if not _KEY.fullmatch(key):
        raise RefusedError("this is no key of the kind that is made for this")
    reached = os.environ.get("SSH_CONNECTION", "").split()
    if len(reached) != 4:  # noqa: PLR2004 -- client, its port, server, its port
        raise RefusedError("it was not reached over SSH")
    address, port = reached[2:]
    keys = _host_keys(address, port)
    line = _line(folder, run, key)
    try:
        _change(folder, add=line, remove="")
        yield {"address": address, "port": port, "user": getpass.getuser(), "host_keys": keys}
    finally:
        _change(folder, add="", remove=line)


def serve(folder: str, run: str, asked: BinaryIO, answers: BinaryIO) -> None:
    """Give out contents of a run until nothing is asked any more."""
    data = RunData(os.path.join(folder, "runs", run))
    for line in iter(asked.readline, b""):
        digest, _, offset = line.decode("ascii", "replace").strip().partition(" ")
        if not is_digest(digest) or not offset.isdigit():
            break
        try:
            file = open(data.path(digest), "rb")  # noqa: SIM115 -- closed below
        except OSError:
            answers.write(LENGTH.pack(NOT_HERE))
            answers.flush()
            continue
        with file:
            left = max(os.fstat(file.fileno()).st_size - int(offset), 0)
            answers.write(LENGTH.pack(left))
            file.seek(int(offset))
            while left:
                piece = file.read(min(CHUNK_BYTES, left))
                if not piece:
                    return  # it was cut off under our hands; the other side sees that some is missing
                answers.write(piece)
                left -= len(piece)
        answers.flush()


def _line(folder: str, run: str, key: str) -> str:
    """Return a line of authorized_keys: nothing but one command is allowed, and its beginning for a time only."""
    until = time.time() + _VALID_SECONDS
    words = [sys.executable, "-I", "-S", os.path.abspath(sys.argv[0]), folder, "lent", run.encode().hex()]
    command = " ".join(map(shlex.quote, words)).replace('"', '\\"')
    expiry = time.strftime("%Y%m%d%H%M%S", time.localtime(until))
    return f'restrict,expiry-time="{expiry}",command="{command}" {key} {_MARK}{until:.0f}'


def _host_keys(address: str, port: str) -> list[str]:
    """Return the host keys of this machine, as it shows them to itself: nobody is in between."""
    try:
        shown = subprocess.run(
            ["ssh-keyscan", "-T", str(_SCAN_SECONDS), "-p", port, address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        ).stdout.decode("ascii", "replace")
    except OSError:
        raise RefusedError("it has no program ssh-keyscan") from None
    keys = [line.partition(" ")[2] for line in shown.splitlines() if line and not line.startswith("#")]
    if not keys:
        raise RefusedError("it does not reach its own SSH server")
    return keys


def _change(folder: str, *, add: str, remove: str) -> None:
    """Add a line to the file of keys, and take another out, with all of ours whose time is over."""
    place = os.path.realpath(os.path.expanduser("~/.ssh/authorized_keys"))
    os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
    with open(os.path.join(folder, "lending.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(place, encoding="utf-8", errors="surrogateescape") as file:
                before = file.read()
            mode = os.stat(place).st_mode & 0o777
        except FileNotFoundError:
            before, mode = "", 0o600
        lines = [line for line in before.splitlines() if line != remove and not _is_over(line)]
        after = "".join(f"{line}\n" for line in (*lines, *((add,) if add else ())))
        if after == before:
            return
        draft = f"{place}.{os.getpid()}.new"
        with open(draft, "w", encoding="utf-8", errors="surrogateescape") as file:
            os.fchmod(file.fileno(), mode)
            file.write(after)
        os.replace(draft, place)
        if not after:
            os.unlink(place)  # it came to be for this


def _is_over(line: str) -> bool:
    _, mark, until = line.rpartition(_MARK)
    return bool(mark) and until.strip().isdigit() and int(until) < time.time()
