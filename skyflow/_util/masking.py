"""Texts that must not be seen, and how they are taken out of what is shown and kept.

A text is hidden as it is and in the forms that programs give it on the way to a log: base64 at any alignment, JSON, URL,
XML, and the quoting of expressions, command lines and PowerShell, which are those that GitHub's runner hides; and as Python
and shells quote it, `set -x` among them, and forms of web pages.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

__all__ = ["HIDDEN", "Masks", "quoted"]

HIDDEN = "***"
"""What is seen instead."""

_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_SHORTEST_FORM = 4
"""Shorter encoded forms are not looked for: they would be found in anything. The text itself has no such limit."""
_SHORTEST_CORE = 8
_SHORTEST_QUOTED = 8
_SHORTEST_SECTION = 6


class Masks:
    """A growing set of texts to hide."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[bytes] = set()
        self._needles: tuple[bytes, ...] = ()
        self._containing: tuple[bytes, ...] = ()
        self.longest = 0
        self.add(*values)

    def add(self, *values: str) -> None:
        """Hide texts, and each of their lines, from now on; blank ones are not hidden."""
        found = {form for value in values for form in _all_forms(value)} - self._forms
        if not found:
            return
        self._forms |= found
        shortest_first = sorted(self._forms, key=lambda form: (len(form), form))
        needles: list[bytes] = []
        containing: list[bytes] = []
        for form in shortest_first:
            (containing if any(needle in form for needle in needles) else needles).append(form)
        self._needles, self._containing = tuple(needles), tuple(containing)
        self.longest = len(shortest_first[-1])

    def copy(self) -> "Masks":
        """Return the same texts, to be added to independently."""
        other = Masks()
        other._forms, other._needles = set(self._forms), self._needles
        other._containing, other.longest = self._containing, self.longest
        return other

    @property
    def values(self) -> tuple[str, ...]:
        """Every hidden text in every form, longest first."""
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        return tuple(form.decode(errors="surrogateescape") for form in longest_first)

    def hide(self, data: bytes) -> bytes:
        """Return the data with every hidden text replaced; texts that overlap or touch give one replacement."""
        return self._hidden_until(len(data), data)

    def hide_begun(self, data: bytes) -> tuple[bytes, bytes]:
        """Return data of which more will come in two parts: what can be shown of it now, and the rest as it is.

        A text that may have begun is in the rest, and so is one that lies across the place where the data is parted.
        """
        at = max(0, len(data) - self.longest)
        around = max(0, at - self.longest)
        found = ((around + start, around + end) for start, end in self._occurrences(data[around:]))
        at = min((start for start, end in found if start < at < end), default=at)
        return self._hidden_until(at, data), data[at:]

    def _hidden_until(self, stop: int, data: bytes) -> bytes:
        ranges = self._ranges(data)
        if not ranges:
            return data[:stop]
        pieces: list[bytes] = []
        shown = 0
        for start, end in ranges:
            if start >= stop:
                break
            pieces += [data[shown:start], HIDDEN.encode()]
            shown = end
        return b"".join([*pieces, data[shown:stop]])

    def hide_text(self, text: str) -> str:
        """Return the text with every hidden text replaced."""
        if not self._forms:
            return text
        return self.hide(_raw(text)).decode(errors="surrogateescape")

    def _ranges(self, data: bytes) -> list[tuple[int, int]]:
        """Return where hidden texts are, merged."""
        found = self._occurrences(data)
        if not found:
            return found
        found.sort()
        merged = [found[0]]
        for start, end in found:
            before, after = merged[-1]
            if start > after:
                merged.append((start, end))
            elif end > after:
                merged[-1] = (before, end)
        return merged

    def _occurrences(self, data: bytes) -> list[tuple[int, int]]:
        """Return where hidden texts are, in no order.

        One `find` per form is many times faster than one regular expression for all of them. A form that contains
        another one can only be where that one is.
        """
        found = [place for needle in self._needles for place in _places(data, needle)]
        return found and found + [place for form in self._containing for place in _places(data, form)]


def _raw(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, as JSON can bring one
        return text.encode(errors="surrogatepass")


def _places(data: bytes, needle: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = data.find(needle, at + 1)


def _all_forms(value: str) -> Iterator[bytes]:
    """Yield what to look for in single lines: a text and each of its lines, plain and encoded."""
    lines = [line for line in value.replace("\r", "\n").split("\n") if line.strip()]
    for part in dict.fromkeys((*lines, value)) if value.strip() else ():
        if "\n" not in part and "\r" not in part:
            yield _raw(part)
        for form in _encoded(part):
            raw = _raw(form)
            if len(raw) >= _SHORTEST_FORM and b"\n" not in raw and b"\r" not in raw:
                yield raw


def _encoded(value: str) -> Iterator[str]:
    raw = _raw(value)
    for offset in range(3):
        yield from _base64(raw[offset:])
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(raw, safe="-_.~")
    yield value.translate(_XML)
    yield value.replace('"', '\\"')
    yield value.replace("'", "''")
    yield value.replace("'", "'\\''")
    yield quote_plus(raw, safe="-_.~")
    yield from quoted(value)
    if len(value) > _SHORTEST_QUOTED and value[0] == value[-1] == '"':
        yield value[1:-1]
    yield from _powershell_sections(value)


def quoted(value: str) -> Iterator[str]:
    """Yield a text as it is between quotes in Python, and in `$'...'` of a shell."""
    escaped = repr(f"{value}'\"")[1:-4]  # where there are both kinds of quotes, the single ones are escaped
    yield escaped
    yield escaped.replace("\\'", "'")


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the base64 of bytes that begin at a multiple of three, with either alphabet and without padding.

    Also the part of it that does not depend on what follows the bytes.
    """
    whole = base64.b64encode(raw).decode().rstrip("=")
    core = base64.b64encode(raw[: len(raw) // 3 * 3]).decode()
    for form in (whole, core) if len(core) >= _SHORTEST_CORE else (whole,):
        yield form
        yield form.replace("+", "-").replace("/", "_")


def _powershell_sections(value: str) -> Iterator[str]:
    """Yield the two parts in which PowerShell prints a command line that it stumbled over at an ampersand."""
    plus = value.find("&+")
    last = value.rfind("&")
    if last < 0:
        return
    before, after = (value[: plus + 2], value[plus + 3 :]) if plus >= 0 else (value[: last + 1], value[last + 1 :])
    yield from (section for section in (before, after) if len(section) >= _SHORTEST_SECTION)
