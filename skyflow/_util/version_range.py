"""Ranges of versions as package managers write them: `3.12`, `3.x`, `^20.1`, `>=3.9 <3.13`, `18 || 20`."""

import re
from dataclasses import dataclass

__all__ = ["Range", "Version", "VersionError", "parse_range", "parse_version"]

_EVERYTHING = 10**9
"""Larger than any part of a version."""

_PARTIAL = re.compile(r"[v=]*(?P<major>\d+|[xX*])(?:\.(?P<minor>\d+|[xX*]))?(?:\.(?P<patch>\d+|[xX*]))?")
_FULL = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?P<rest>.*)")
_COMPARATOR = re.compile(r"(?P<sign>>=|<=|~>|~=|==|>|<|=|~|\^)?\s*(?P<version>[^\s<>=~^|]+)")
_HYPHEN = re.compile(r"(?P<low>\S+)\s+-\s+(?P<high>\S+)")

_Numbers = tuple[int, int, int]

_START: _Numbers = (0, 0, 0)
_END: _Numbers = (_EVERYTHING, 0, 0)


class VersionError(ValueError):
    """Something is no version, or no range; the message is for the user."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """The three numbers of a version; `is_release` is false for betas and the like."""

    numbers: _Numbers
    is_release: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """The versions from one up to, but without, another; of any of several such pairs."""

    intervals: tuple[tuple[_Numbers, _Numbers], ...]

    def __contains__(self, version: Version) -> bool:
        """Tell whether a version is in the range, whether released or not."""
        return any(low <= version.numbers < high for low, high in self.intervals)


def parse_version(text: str) -> Version:
    """Read a version that a program tells of itself, such as `v20.1.0` or `3.14.0rc1`.

    Raises:
        VersionError: it is none.
    """
    match = _FULL.fullmatch(text.strip())
    if match is None:
        raise VersionError(f"'{text}' is not a version")
    return Version((int(match[1]), int(match[2]), int(match[3] or 0)), is_release=not match["rest"])


def parse_range(text: str) -> Range:
    """Read a range.

    Raises:
        VersionError: it is none.
    """
    return Range(tuple(_intersection(part, text) for part in text.split("||")))


def _intersection(part: str, whole: str) -> tuple[_Numbers, _Numbers]:
    low, high = _START, _END
    hyphen = _HYPHEN.fullmatch(part.strip())
    if hyphen:
        part = f">={hyphen['low']} <={hyphen['high']}"
    part = part.replace(",", " ").strip()
    position = 0
    while position < len(part):
        match = _COMPARATOR.match(part, position)
        if match is None:
            raise VersionError(f"'{whole}' is not a range of versions")
        low, high = _narrowed(low, high, _comparator(match["sign"] or "", match["version"], whole))
        position = match.end()
        while position < len(part) and part[position].isspace():
            position += 1
    return low, high


def _narrowed(low: _Numbers, high: _Numbers, by: tuple[_Numbers, _Numbers]) -> tuple[_Numbers, _Numbers]:
    return max(low, by[0]), min(high, by[1])


def _comparator(sign: str, text: str, whole: str) -> tuple[_Numbers, _Numbers]:
    """Return from where to where one comparator reaches; patch numbers are whole, so that every bound can be half open."""
    match = _PARTIAL.fullmatch(text.strip())
    if match is None:
        raise VersionError(f"'{whole}' is not a range of versions")
    parts: list[int] = []
    for name in ("major", "minor", "patch"):
        if not (match[name] or "x").isdigit():
            break
        parts.append(int(match[name]))
    low, after = _padded(parts), _next(parts, len(parts))
    leading = next((index for index, part in enumerate(parts) if part), len(parts) - 1)
    reaches = {
        ">=": (low, _END),
        ">": (after, _END),
        "<=": (_START, after),
        "<": (_START, low),
        "~": (low, _next(parts, min(len(parts), 2))),
        "~=": (low, _next(parts, max(len(parts) - 1, 1))),  # Python's: the last number may grow
        "^": (low, _next(parts, leading + 1)),
    }
    reaches["~>"] = reaches["~"]
    return reaches.get(sign, (low, after))


def _padded(parts: list[int]) -> _Numbers:
    major, minor, patch = (*parts, 0, 0, 0)[:3]
    return major, minor, patch


def _next(parts: list[int], count: int) -> _Numbers:
    """Return the first version behind all that begin with the first numbers."""
    if not parts:
        return _END
    return _padded([*parts[: count - 1], parts[count - 1] + 1])
