"""Errands: work on data that takes long, each in a process of its own beside the session.

    python3 -I -S FILE.pyz FOLDER errand

The first line of standard input is JSON that says what to do, as the functions of `_ERRANDS` read it. On standard output
there is a line of JSON now and then: `{"moved": BYTES}` so far, what the other side has to know to go on, and in the end
`{"done": true}` or `{"error": "why"}`. When standard input ends, the errand is given up, and nothing is left of it
that is secret.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from skyflow.runners.onhost.bucket import get_all, put_all
from skyflow.runners.onhost.data import RunData, entries_of
from skyflow.runners.onhost.fetching import fetch, fresh_key
from skyflow.runners.onhost.lending import lend, serve
from skyflow.runners.onhost.refused import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["main"]

_TELL_SECONDS = 0.5
_IN_ONE_LINE = 100
"""So many files are told of at a time: nobody reads a line without end."""
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


class _Errand:
    """One errand: its folder, what is asked, and what it tells."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.moved = 0
        self._told = time.monotonic()

    def hear(self) -> Any:
        """Return the next line of input; without one, whoever asked is gone."""
        line = sys.stdin.buffer.readline()
        if not line:
            raise RefusedError("it was given up")
        return json.loads(line.decode(errors="surrogateescape"))

    def tell(self, **fields: object) -> None:
        """Print a line."""
        sys.stdout.buffer.write(json.dumps(fields).encode(errors="surrogateescape") + b"\n")
        sys.stdout.buffer.flush()

    def count(self, size: int) -> None:
        """Count what has moved, and tell now and then."""
        self.moved += size
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            self.tell(moved=self.moved)

    def data(self, ask: dict[str, Any]) -> RunData:
        """Return the data of the run that is meant."""
        return RunData(_below(os.path.join(self.folder, "runs"), ask["run"]))

    def end_with_input(self) -> None:
        """From now on nothing more is heard; interrupt the main thread when the input ends."""

        def wait() -> None:
            while os.read(0, 1024):
                pass
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()


def _keep(errand: _Errand, ask: dict[str, Any]) -> None:
    errand.end_with_input()
    errand.data(ask).keep(ask["owner"], ask["folder"], ask["names"], errand.count)


def _place(errand: _Errand, ask: dict[str, Any]) -> None:
    errand.end_with_input()
    errand.data(ask).place(_workspace(errand, ask), ask["entries"], keep=ask["keep"], moved=errand.count)


def _fetch(errand: _Errand, ask: dict[str, Any]) -> None:
    with fresh_key() as (key, public):
        errand.tell(key=public)
        lent = errand.hear()
        errand.end_with_input()
        fetch(errand.data(ask), key, lent, ask["sizes"], errand.count)


def _lend(errand: _Errand, ask: dict[str, Any]) -> None:
    with lend(errand.folder, ask["run"], ask["key"]) as lent:
        errand.tell(lent=lent)
        sys.stdin.buffer.read()  # until whoever asked has what it wanted, or is gone


def _list(errand: _Errand, ask: dict[str, Any]) -> None:
    errand.end_with_input()
    folder, names = _workspace(errand, ask), ask["names"]
    for at in range(0, len(names), _IN_ONE_LINE):
        some = entries_of(folder, names[at : at + _IN_ONE_LINE], follow_links=ask["follow_links"])
        errand.tell(moved=0, entries=some)


def _put(errand: _Errand, ask: dict[str, Any]) -> None:
    errand.end_with_input()
    _tell_refused(errand, put_all(_workspace(errand, ask), ask["blobs"], errand.count))


def _get(errand: _Errand, ask: dict[str, Any]) -> None:
    errand.end_with_input()
    _tell_refused(errand, get_all(errand.data(ask), ask["blobs"], errand.count))


def _tell_refused(errand: _Errand, refused: dict[str, Any]) -> None:
    for name in ("left", "spoiled"):
        for at in range(0, len(refused[name]), _IN_ONE_LINE):
            errand.tell(moved=errand.moved, why=refused["why"], **{name: refused[name][at : at + _IN_ONE_LINE]})


def _workspace(errand: _Errand, ask: dict[str, Any]) -> str:
    return os.path.join(_below(os.path.join(errand.folder, "runs"), ask["folder"]), "work")


_ERRANDS = {
    "keep": _keep,
    "place": _place,
    "fetch": _fetch,
    "lend": _lend,
    "list": _list,
    "put": _put,
    "get": _get,
}


def main(folder: str, what: list[str]) -> None:
    """Do one errand, or with `lent` and the name of a run in hexadecimal, give out its data."""
    folder = os.path.abspath(os.path.join(os.path.expanduser("~"), folder))
    for each in _ENDING:
        signal.signal(each, _leave)
    if what[0] == "lent":
        serve(folder, bytes.fromhex(what[1]).decode(), sys.stdin.buffer, sys.stdout.buffer)
        return
    errand = _Errand(folder)
    try:
        ask = errand.hear()
        _ERRANDS[ask["do"]](errand, ask)
    except RefusedError as error:
        errand.tell(error=str(error))
    except OSError as error:
        errand.tell(error=f"{error.strerror}: '{error.filename}'" if error.filename else str(error.strerror))
    else:
        errand.tell(done=True, moved=errand.moved)


def _leave(*_: object) -> None:
    """Unwind, undisturbed: every context on the way removes what it has made."""
    for each in _ENDING:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(1)


def _below(top: str, name: str) -> str:
    path = os.path.normpath(os.path.join(top, name))
    if not path.startswith(top + os.sep):
        raise RefusedError(f"'{name}' is not below the folder of skyflow")
    return path
