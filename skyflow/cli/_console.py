"""Where the command line writes: plain text by default, colours and tables on a terminal."""

import os
import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["console", "draw", "err", "is_terminal", "out"]

_CODES = {"red": "31", "yellow": "33", "cyan": "36"}
_WIDTH_OFF_TERMINAL = 120


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person is looking: a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def out(text: str = "") -> None:
    """Write a line to standard output, and nothing that a terminal would obey."""
    sys.stdout.write(f"{_plain(text)}\n")


def err(text: str, *, style: str | None = None) -> None:
    """Write a line to standard error, in a colour if a person is looking and has nothing against it."""
    text = _plain(text)
    if style and is_terminal(sys.stderr) and "NO_COLOR" not in os.environ:
        text = f"\x1b[{_CODES[style]}m{text}\x1b[0m"
    sys.stderr.write(f"{text}\n")


def _plain(text: str) -> str:
    if text.isprintable():
        return text
    from skyflow._util.terminal import plain  # noqa: PLC0415 -- most lines are printable, and start-up compiles nothing

    return plain(text)


def console() -> "Console":
    """Return a rich console on standard output; off a terminal it has a fixed width, so that output can be compared."""
    width = None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL
    return _console_type()(file=sys.stdout, highlight=False, emoji=False, markup=False, width=width)


@cache
def _console_type() -> "type[Console]":
    from rich.console import Console, ConsoleOptions  # noqa: PLC0415 -- rich takes longer to import than most commands to run
    from rich.segment import Segment  # noqa: PLC0415

    from skyflow._util.terminal import uncoloured  # noqa: PLC0415

    class _Console(Console):
        """Draws texts of others without what a terminal would obey in them; what rich itself writes has no width either."""

        def render(self, renderable: "RenderableType", options: ConsoleOptions | None = None) -> "Iterable[Segment]":
            """Yield the parts of what is drawn."""
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable():
                    yield segment
                else:
                    lines = segment.text.split("\n")
                    yield Segment("\n".join(map(uncoloured, lines)), segment.style)

    return _Console


def draw(parts: "Iterable[RenderableType]") -> None:
    """Print renderables one below the other; off a terminal without the blanks that fill lines up."""
    printer = console()
    if printer.is_terminal:
        for part in parts:
            printer.print(part)
        return
    with printer.capture() as capture:
        for part in parts:
            printer.print(part)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))
