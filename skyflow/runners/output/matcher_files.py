"""Files that define problem matchers, `{"problemMatcher": [...]}` with comments allowed, as on GitHub."""

import re
from pathlib import Path

from skyflow._util.foreign_json import read_json
from skyflow.runners.output.matchers import FIELDS, Matcher, Pattern
from skyflow.runners.output.regexps import RegexpError, compile_regexp

__all__ = ["MatcherFileError", "read_matchers"]

_LARGEST_BYTES = 1024 * 1024
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\Z)'
_STRING_OR_COMMENT = re.compile(_STRING + r"|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_STRING_OR_COMMA = re.compile(_STRING + r"|,(?=\s*[\]}])", re.DOTALL)
"""What has no end goes to that of the file, so that nothing is looked through twice."""
_SEVERITIES = frozenset({"", "error", "warning", "notice"})


class MatcherFileError(Exception):
    """The file cannot be used; the message says which and why."""


def read_matchers(path: Path) -> list[Matcher]:
    """Read every matcher of a file.

    Raises:
        MatcherFileError: there is no such file, or something in it is wrong.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise MatcherFileError(f"{path} has more than {_LARGEST_BYTES} bytes")
        text = path.read_bytes().decode("utf-8-sig")
        content = read_json(_without_comments(text))
    except OSError as error:
        raise MatcherFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise MatcherFileError(f"{path} is not JSON: {error}") from error
    try:
        return _matchers(content)
    except (_WrongError, RegexpError) as error:
        raise MatcherFileError(f"{path}: {error}") from error


class _WrongError(Exception):
    """Something in the file is not as it should be."""


def _without_comments(text: str) -> str:
    """Take out comments and the commas before a closing bracket, which GitHub's reader allows."""
    text = _STRING_OR_COMMENT.sub(lambda match: match[0] if match[0].startswith('"') else " ", text)
    return _STRING_OR_COMMA.sub(lambda match: "" if match[0] == "," else match[0], text)


def _matchers(content: object) -> list[Matcher]:
    found = content.get("problemMatcher") if isinstance(content, dict) else None
    if not isinstance(found, list) or not found:
        raise _WrongError('there is no list "problemMatcher" with something in it')
    matchers = [_matcher(each) for each in found]
    owners = [matcher.owner.lower() for matcher in matchers]
    for owner in owners:
        if owners.count(owner) > 1:
            raise _WrongError(f"there are two matchers of the owner '{owner}'")
    return matchers


def _matcher(value: object) -> Matcher:
    if not isinstance(value, dict):
        raise _WrongError("a matcher is not an object")
    owner, severity, patterns = value.get("owner"), value.get("severity") or "", value.get("pattern")
    if not isinstance(owner, str) or not owner:
        raise _WrongError("a matcher has no owner")
    if not isinstance(severity, str) or severity.lower() not in _SEVERITIES:
        raise _WrongError(f"the severity of '{owner}' is not error, warning or notice")
    if not isinstance(patterns, list) or not patterns:
        raise _WrongError(f"'{owner}' has no list of patterns")
    read = [_pattern(each, owner) for each in patterns]
    _check_together(read, owner)
    return Matcher(owner, severity, read)


def _check_together(patterns: list[Pattern], owner: str) -> None:
    taken = [name for pattern in patterns for name, _ in pattern.groups]
    for name in FIELDS:
        if taken.count(name) > 1:
            raise _WrongError(f"'{owner}' takes '{name}' from two patterns")
    if "message" not in taken:
        raise _WrongError(f"no pattern of '{owner}' takes the message")
    for index, pattern in enumerate(patterns):
        if pattern.loop and (index == 0 or index < len(patterns) - 1):
            raise _WrongError(f"only the last of several patterns of '{owner}' may loop")
        if pattern.loop and "message" not in dict(pattern.groups):
            raise _WrongError(f"the pattern of '{owner}' that loops does not take the message")


def _pattern(value: object, owner: str) -> Pattern:
    if not isinstance(value, dict) or not isinstance(value.get("regexp"), str):
        raise _WrongError(f"a pattern of '{owner}' has no regexp")
    regexp = compile_regexp(value["regexp"])
    groups: list[tuple[str, int]] = []
    for name in FIELDS:
        group = value.get(name)
        if group is None:
            continue
        if isinstance(group, str) and group.isascii() and group.isdigit():
            group = int(group)
        if isinstance(group, bool) or not isinstance(group, int) or not 0 <= group <= regexp.groups:
            raise _WrongError(f"'{name}' of '{owner}' is not the number of a group of its regexp")
        groups.append((name, group))
    return Pattern(regexp, tuple(groups), loop=bool(value.get("loop")))
