"""Workflow commands: lines by which a step talks to the runner, `::name key=value,key=value::data`.

The older form `##[name key=value;key=value]data` is read too, wherever in a line it stands, as GitHub does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

__all__ = ["COMMANDS", "Command", "may_hold_command", "parse_command"]

COMMANDS = frozenset(
    {
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    }
)
"""Every name that is a command; a line with another one is plain output."""

_DATA_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY_ESCAPES = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_OLD_ESCAPES = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))
_MARK = "::"
_OLD_MARK = "##["


@dataclass(frozen=True, slots=True)
class Command:
    """One command; its name and the names of its properties are in lower case."""

    name: str
    properties: Mapping[str, str]
    data: str


def may_hold_command(data: bytes) -> bool:
    """Tell, quickly, whether some line of a block may be a command."""
    # one byte is found far sooner than two or three
    return (b":" in data and b"::" in data) or (b"#" in data and b"##[" in data)


def parse_command(line: str, names: Collection[str] = COMMANDS) -> Command | None:
    """Read a line without its end; None if it is plain output.

    Args:
        line: the line.
        names: what counts as a command, in lower case.
    """
    return _parse(line, names) or _parse_old(line, names)


def _parse(line: str, names: Collection[str]) -> Command | None:
    line = line.lstrip()
    end = line.find(_MARK, len(_MARK))
    if not line.startswith(_MARK) or end < 0:
        return None
    name, _, properties = line[len(_MARK) : end].partition(" ")
    if name.lower() not in names:
        return None
    data = _unescape(line[end + len(_MARK) :], _DATA_ESCAPES)
    return Command(name.lower(), _properties(properties.strip(), ",", _PROPERTY_ESCAPES), data)


def _parse_old(line: str, names: Collection[str]) -> Command | None:
    begin = line.find(_OLD_MARK)
    end = line.find("]", begin)
    if begin < 0 or end < 0:
        return None
    name, _, properties = line[begin + len(_OLD_MARK) : end].partition(" ")
    if name.lower() not in names:
        return None
    return Command(name.lower(), _properties(properties, ";", _OLD_ESCAPES), _unescape(line[end + 1 :], _OLD_ESCAPES))


def _properties(text: str, separator: str, escapes: tuple[tuple[str, str], ...]) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(separator))
    return {name.lower(): _unescape(value, escapes) for name, _, value in pairs if name and value}


def _unescape(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for escaped, character in escapes:
        text = text.replace(escaped, character)
    return text
