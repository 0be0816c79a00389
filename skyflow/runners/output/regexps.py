r"""Regular expressions of JavaScript, as problem matchers are written, for Python.

What both have in common stays; what differs in spelling is translated: named groups, `\cX`, `\e`, `\z`, `{,n}`, and
brackets inside of brackets. `\d`, `\s` and `\w` mean ASCII only. What Python lacks (lookbehind of no fixed length,
`\p{...}`) is an error, to be reported.
"""

import re
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

__all__ = ["RegexpError", "RegexpTimeoutError", "TimeLimit", "compile_regexp"]

_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_ESCAPES = {"e": r"\x1b", "z": r"\Z", "Z": r"(?=\n?\Z)"}
_SPECIAL_IN_CLASS = frozenset("[&~|")
_CONTROL_MASK = 0x1F


class RegexpError(Exception):
    """The regular expression cannot be used; the message says why."""


class RegexpTimeoutError(Exception):
    """A match took too long."""


def compile_regexp(source: str) -> re.Pattern[str]:
    """Compile a regular expression as JavaScript understands it.

    Raises:
        RegexpError: it is wrong, or Python has no equal.
    """
    try:
        return re.compile(_translated(source), re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise RegexpError(f"the regular expression '{source}' cannot be used: {error}") from error


def _translated(source: str) -> str:
    pieces: list[str] = []
    at = 0
    in_class = False
    while at < len(source):
        taken, piece = _next(source, at, in_class=in_class)
        if piece == "[" and not in_class:
            in_class = True
            if source.startswith(("[]", "[^]"), at):  # the bracket that ends an empty class is a plain one in Python
                raise RegexpError(f"the regular expression '{source}' cannot be used: it has an empty class")
        elif piece == "]":
            in_class = False
        pieces.append(piece)
        at += taken
    return "".join(pieces)


def _next(source: str, at: int, *, in_class: bool) -> tuple[int, str]:
    """Return how many characters come next, and what they are in Python."""
    character = source[at]
    if character == "\\" and at + 1 < len(source):
        return _escape(source, at, in_class=in_class)
    if in_class:
        special = character in _SPECIAL_IN_CLASS or source.startswith("--", at)
        return 1, f"\\{character}" if special else character
    if _NAMED_GROUP.match(source, at):
        return 3, "(?P<"
    if source.startswith("{,", at):
        return 1, r"\{"
    return 1, character


def _escape(source: str, at: int, *, in_class: bool) -> tuple[int, str]:
    letter = source[at + 1]
    if letter == "c" and at + 2 < len(source) and source[at + 2].isascii() and source[at + 2].isalpha():
        return 3, f"\\x{ord(source[at + 2]) & _CONTROL_MASK:02x}"
    if letter == "k" and not in_class and source.startswith("<", at + 2) and ">" in source[at:]:
        end = source.index(">", at)
        return end + 1 - at, f"(?P={source[at + 3 : end]})"
    if letter == "e" or (letter in _ESCAPES and not in_class):
        return 2, _ESCAPES[letter]
    return 2, source[at : at + 2]


class TimeLimit:
    """Raises RegexpTimeoutError when what stands between `start` and `stop` takes too much processor time.

    Python's regular expressions look for signals while they match. They are received while this is entered, which is
    done around many matches because it costs as much as several; and in the main thread only, elsewhere nothing happens.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._is_entered = False
        self._is_running = False
        self._before: Callable[[int, FrameType | None], object] | int | None = None

    def __enter__(self) -> Self:
        """Receive the signal."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGVTALRM, self._ring)
            self._is_entered = True
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the signal to whoever had it before."""
        if self._is_entered:
            self._is_entered = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL if self._before is None else self._before)

    def start(self) -> None:
        """Begin to count."""
        if self._is_entered:
            signal.setitimer(signal.ITIMER_VIRTUAL, self.seconds)
            self._is_running = True

    def stop(self) -> None:
        """Do not raise any more, though the signal may still come."""
        self._is_running = False

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_running:
            self._is_running = False
            raise RegexpTimeoutError
