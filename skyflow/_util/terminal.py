"""What others wrote, such that a terminal shows it and does nothing else.

Names, messages and output come from whoever wrote a workflow, a step or a machine. To a terminal some of their characters are
commands: they move the cursor over what was said before, change the title, fill the clipboard. The sequences are those of
ECMA-48, and of xterm for the strings (OSC).
"""

import re

__all__ = ["coloured", "coloured_lines", "one_line", "plain", "uncoloured"]

_SEQUENCE = re.compile(
    r"(\x1b\[[0-9;:]*m)"  # colours and bold
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # cursor, screen, modes
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # strings: titles, the clipboard, links
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0a-\x1f\x7f-\x9f]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_RESET = "\x1b[0m"
_RESETS = (_RESET, "\x1b[m")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tabs and the ends of lines, what turns the direction of text around, and halves of characters."""


def plain(text: str) -> str:
    """Return a message in which nothing but tabs and ends of lines is for the terminal; the rest is written as in JSON."""
    return text if text.isprintable() else _UNSEEN.sub(_escaped, text)


def one_line(text: str) -> str:
    """Return a name as one line, so that it cannot pass for what stands on the next."""
    return text if text.isprintable() else plain(" ".join(text.split()))


def coloured(line: str) -> str:
    """Return a line of output with its colours, which end with it, and without whatever else a terminal would obey."""
    return line if line.isprintable() else _ended(_SEQUENCE.sub(lambda match: match[1] or "", line))


def coloured_lines(text: str) -> list[str]:
    """Return the lines of a piece of output, each as `coloured` returns it; nearly all output is looked at as a whole."""
    lines = text.splitlines()
    if text.replace("\n", "").isprintable():
        return lines
    if _COLOUR.sub("", text).replace("\n", "").replace("\t", "").isprintable():
        return [_ended(line) for line in lines]
    return [coloured(line) for line in lines]


def uncoloured(line: str) -> str:
    """Return a line of output without whatever a terminal would obey, tabs excepted."""
    return line if line.isprintable() else _SEQUENCE.sub("", line)


def _ended(line: str) -> str:
    """Return a line in which colours are the only commands, such that they end with it."""
    last = line.rfind("\x1b")
    return line if last < 0 or line.startswith(_RESETS, last) else line + _RESET


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
