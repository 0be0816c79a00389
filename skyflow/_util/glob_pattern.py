r"""File patterns as actions and `hashFiles` understand them: one pattern, compared with absolute paths; nothing is read.

The rules are those of GitHub's glob package: `*`, `?` and `[...]` stay within one name, `**` stands for any number of
folders, `!` in front excludes, a trailing `/` means folders only, `\` takes the next character literally, and names
that begin with a dot are like any other. Case matters.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Flag
from pathlib import Path

__all__ = [
    "Kind",
    "Pattern",
    "PatternError",
    "name_matches",
    "parse_pattern",
    "partly_matches",
    "pattern_matches",
    "with_descendants",
]

_MOST_CHARACTERS = 4096
"""No path of Linux is longer (PATH_MAX), and reading a pattern takes the square of its length where brackets stay open."""
_Segment = str | re.Pattern[str] | None
"""A literal name, a pattern for one name, or None for `**`."""


class Kind(Flag):
    """What a pattern accepts at a path."""

    NOTHING = 0
    FOLDER = 1
    FILE = 2
    BOTH = FOLDER | FILE


class PatternError(ValueError):
    """A pattern that cannot be used; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of patterns, made absolute. `search_path` is what comes before the first wildcard."""

    negate: bool
    folders_only: bool
    segments: tuple[_Segment, ...]
    search_path: Path


def parse_pattern(text: str, *, workspace: Path, home: Path) -> Pattern:
    """Read one pattern; a relative one is meant below the workspace, `~` is the home folder.

    Raises:
        PatternError: it is empty, longer than a path can be, or contains `.` elsewhere than at the beginning, or `..`.
    """
    body = text.strip()
    if len(body) > _MOST_CHARACTERS:
        raise PatternError(f"the pattern '{body[:40]}...' has {len(body):,} characters, and a path at most 4,096")
    negate = False
    while body.startswith("!"):
        negate, body = not negate, body[1:].strip()
    if not body:
        raise PatternError(f"the pattern '{text.strip()}' is empty")
    names = [name for name in body.split("/") if name]
    literals = [_literal(name) for name in names]
    is_relative = not body.startswith("/")
    if ".." in literals or "." in literals[1 if is_relative else 0 :]:
        raise PatternError(f"Invalid pattern '{body}': '.' may only stand at the beginning, and '..' nowhere")
    base: tuple[str, ...] = ()
    if is_relative:
        start = home if names[0] == "~" else workspace
        base = start.parts[1:]
        names = names[1:] if names[0] in {"~", "."} else names
    segments = (*base, *(_segment(name) for name in names))
    literal_names: list[str] = []
    for segment in segments:
        if not isinstance(segment, str):
            break
        literal_names.append(segment)
    return Pattern(negate, body.endswith("/"), segments, Path("/", *literal_names))


def with_descendants(pattern: Pattern) -> tuple[Pattern, ...]:
    """Return a pattern, and beside it the one for everything below what it matches."""
    if not pattern.folders_only and pattern.segments and pattern.segments[-1] is None:
        return (pattern,)
    return pattern, Pattern(
        pattern.negate, folders_only=False, segments=(*pattern.segments, None), search_path=pattern.search_path
    )


def pattern_matches(patterns: Sequence[Pattern], path: Path) -> Kind:
    """Return what the patterns, in order, accept at a path; a later one overrules an earlier one."""
    found = Kind.NOTHING
    for pattern in patterns:
        if len(pattern.segments) in _positions(pattern, path):
            accepted = Kind.FOLDER if pattern.folders_only else Kind.BOTH
            found = found & ~accepted if pattern.negate else found | accepted
    return found


def partly_matches(patterns: Sequence[Pattern], path: Path) -> bool:
    """Tell whether something below a path may match."""
    return any(not pattern.negate and bool(_positions(pattern, path)) for pattern in patterns)


def _positions(pattern: Pattern, path: Path) -> set[int]:
    """Return how far into the pattern the whole path can lead: every position at once, so that no `**` is costly."""
    positions = _through_globstars(pattern, {0})
    for name in path.parts[1:]:
        following: set[int] = set()
        for position in positions:
            if position == len(pattern.segments):
                continue
            segment = pattern.segments[position]
            if segment is None:
                following.add(position)
            elif segment == name if isinstance(segment, str) else segment.fullmatch(name):
                following.add(position + 1)
        positions = _through_globstars(pattern, following)
        if not positions:
            break
    return positions


def _through_globstars(pattern: Pattern, positions: set[int]) -> set[int]:
    """Add the positions behind `**`, which may stand for no folder at all."""
    reached = set(positions)
    for start in positions:
        position = start
        while position < len(pattern.segments) and pattern.segments[position] is None:
            position += 1
            reached.add(position)
    return reached


def _segment(name: str) -> _Segment:
    if name == "**":
        return None
    literal = _literal(name)
    return re.compile(_expression(name), re.DOTALL) if literal is None else literal


def _literal(name: str) -> str | None:
    """Return the one name a segment stands for, or None if it has wildcards."""
    plain, position = "", 0
    while position < len(name):
        character = name[position]
        if character == "\\" and position + 1 < len(name):
            plain, position = plain + name[position + 1], position + 2
            continue
        if character in "*?":
            return None
        if character == "[":
            members, end = _set_members(name, position)
            if len(members) > 1:
                return None
            if members:
                plain, position = plain + members, end + 1
                continue
        plain, position = plain + character, position + 1
    return plain


def _set_members(name: str, start: int) -> tuple[str, int]:
    """Return what stands between `[` and the next `]`, and where that is; nothing if there is none."""
    members, position = "", start + 1
    while position < len(name):
        if name[position] == "\\" and position + 1 < len(name):
            members, position = members + name[position + 1], position + 2
            continue
        if name[position] == "]":
            return members, position
        members, position = members + name[position], position + 1
    return "", start


def _expression(name: str) -> str:
    """Return the regular expression of one segment that has wildcards."""
    parts, position = [r"(?=.)"], 0  # a wildcard alone never stands for an empty name
    while position < len(name):
        character = name[position]
        if character == "\\" and position + 1 < len(name):
            parts.append(re.escape(name[position + 1]))
            position += 2
            continue
        if character == "[":
            expression, position = _set_expression(name, position)
            parts.append(expression)
            continue
        parts.append({"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character)))
        position += 1
    return re.sub(r"(\[\^/\]\*)+", r"[^/]*", "".join(parts))


def _set_expression(name: str, start: int) -> tuple[str, int]:
    """Return the expression of a `[...]` and the position behind it; a `[` that is not closed means itself."""
    position = start + 1
    negated = position < len(name) and name[position] in "!^"
    position += negated
    items: list[str] = []
    while position < len(name) and (name[position] != "]" or (not items and not negated)):
        is_escape = name[position] == "\\" and position + 1 < len(name)
        position += is_escape
        is_range = not is_escape and name[position] == "-" and bool(items) and items[-1] != "-"
        items.append("-" if is_range else re.escape(name[position]))
        position += 1
    if position >= len(name) or not items:
        return re.escape("["), start + 1
    if items[-1] == "-":
        items[-1] = re.escape("-")
    expression = f"[{'^' if negated else ''}{''.join(items)}]"
    try:
        re.compile(expression)
    except re.error:  # a range that runs backwards
        return re.escape("["), start + 1
    return expression, position + 1


def name_matches(pattern: str, name: str) -> bool:
    """Tell whether one name matches a pattern, as GitHub selects artifacts: `{a,b}` too, and `!` in front for the rest.

    A wildcard at the beginning does not match a dot there.
    """
    negate = len(pattern) - len(pattern.lstrip("!"))
    body = pattern[negate:]
    found = any(
        not (name.startswith(".") and not each.startswith(".")) and _name_matches_one(each, name)
        for each in _expand_braces(body)
    )
    return found != bool(negate % 2)


def _name_matches_one(pattern: str, name: str) -> bool:
    segment = _segment(pattern)
    if segment is None or isinstance(segment, str):
        return segment is None or segment == name
    return segment.fullmatch(name) is not None


def _expand_braces(pattern: str) -> list[str]:
    """Return the patterns that one with `{a,b}` stands for."""
    start, depth, pieces, begun = -1, 0, list[str](), 0
    for position, character in enumerate(pattern):
        if character == "{":
            depth += 1
            if depth == 1:
                start, begun, pieces = position, position + 1, []
        elif character == "," and depth == 1:
            pieces.append(pattern[begun:position])
            begun = position + 1
        elif character == "}" and depth > 0:
            depth -= 1
            if depth == 0 and pieces:
                pieces.append(pattern[begun:position])
                tails = _expand_braces(pattern[position + 1 :])
                inner = [each for piece in pieces for each in _expand_braces(piece)]
                return [pattern[:start] + each + tail for each in inner for tail in tails]
    return [pattern]
