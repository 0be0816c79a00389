r"""Reads `.env` files.

    # a comment
    NAME=value                  # up to the end of the line; ` #` begins a comment
    export NAME=value
    NAME='as it is, $ and \n too'
    NAME="with \n, \r, \t, \", \\ and \$"
    NAME="several
    lines"

Nothing is expanded: `$HOME` is five characters. A quoted value, of either kind, may go on over several lines. Of a name
that is given twice the last value counts.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from skyflow.errors import UsageError

__all__ = ["Assignment", "parse_dotenv", "read_dotenv"]

_ASSIGNMENT = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[^\s=#'\"]+)[ \t]*=")
_BLANKS = re.compile(r"[ \t]*")
_NOTHING = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_PLAIN = re.compile(r"(?P<value>(?:(?![ \t]#)[^\n])*)[^\n]*(?:\n|\Z)")
_SINGLE = re.compile(r"'(?P<value>[^']*)'")
_DOUBLE = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One entry of a file. Its value is kept out of `repr`, since it may be secret."""

    name: str
    value: str
    where: str

    def __repr__(self) -> str:
        return f"Assignment({self.name!r}, ..., {self.where!r})"


def read_dotenv(path: Path) -> list[Assignment]:
    """Read a file.

    Raises:
        UsageError: it cannot be read, or a line is not an assignment.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: this is not UTF-8") from None  # the error holds the whole file
    return parse_dotenv(text, path=str(path))


def parse_dotenv(text: str, *, path: str) -> list[Assignment]:
    """Read the text of a file; messages tell the line, but not what it says.

    Raises:
        UsageError: a line is not an assignment.
    """
    text = text.replace("\r\n", "\n")
    found: list[Assignment] = []
    position = 0
    while position < len(text):
        nothing = _NOTHING.match(text, position)
        if nothing:
            position = nothing.end()
            continue
        where = f"{path}:{text.count(chr(10), 0, position) + 1}"
        head = _ASSIGNMENT.match(text, position)
        if head is None:
            raise UsageError(f"{where}: expected NAME=value", hint="a value of several lines stands in quotes")
        value, position = _value(text, head.end(), where)
        found.append(Assignment(head["name"], value, where))
    return found


def _value(text: str, position: int, where: str) -> tuple[str, int]:
    """Return the value at a position, and where the next line begins."""
    blanks = _BLANKS.match(text, position)
    start = blanks.end() if blanks else position
    quote = text[start : start + 1]
    if quote not in {"'", '"'}:
        plain = _PLAIN.match(text, position)
        return (plain["value"].strip(), plain.end()) if plain else ("", len(text))
    quoted = (_SINGLE if quote == "'" else _DOUBLE).match(text, start)
    if quoted is None:
        raise UsageError(f"{where}: the quote {quote} is not closed")
    rest = _NOTHING.match(text, quoted.end())
    if rest is None:
        raise UsageError(
            f"{where}: there is more behind the closing quote {quote}", hint='write a quote as \\" in "..."'
        )
    value = quoted["value"]
    if quote == '"':
        value = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), value)
    return value, rest.end()
