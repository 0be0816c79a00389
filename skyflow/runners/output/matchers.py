"""Problem matchers: patterns that find the remarks of compilers and linters in what they print."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.runners.output.issues import relative_file
from skyflow.runners.output.regexps import RegexpTimeoutError, TimeLimit

__all__ = ["FIELDS", "Matcher", "Matchers", "Pattern"]

FIELDS = ("file", "fromPath", "line", "column", "endLine", "endColumn", "severity", "code", "message")
"""What a pattern can take from a line, each by the number of a group."""

_LONGEST_LINE = 16 * 1024
"""A longer line is not looked at: no compiler prints one, and the time that patterns take grows with it."""
_MATCH_SECONDS = 1.0
"""GitHub's limit for one pattern and line; here for all matchers and one line."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m?")
_Found = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of what a matcher looks for."""

    regexp: re.Pattern[str]
    groups: tuple[tuple[str, int], ...]
    loop: bool = False

    def match(self, line: str, carried: _Found) -> _Found | None:
        """Return what was carried along and what this line adds; None if the line does not match."""
        match = self.regexp.search(line)
        if match is None:
            return None
        return {name: match[group] or "" for name, group in self.groups} | carried


@dataclass(slots=True)
class Matcher:
    """The patterns of one owner. `running[i]` is what the first i + 1 patterns have found in the lines before."""

    owner: str
    severity: str
    patterns: Sequence[Pattern]
    running: list[_Found | None] = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the lines before."""
        self.running = [None] * (len(self.patterns) - 1)

    def match(self, line: str) -> _Found | None:
        """Take the next line in, and return what was found if it completes the patterns."""
        last = len(self.patterns) - 1
        for index in range(last, -1, -1):  # backwards, so that a line is not two lines of the same match
            carried = self.running[index - 1] if index else {}
            if carried is None:
                continue
            found = self.patterns[index].match(line, carried)
            if index < last:
                self.running[index] = found
            elif found is not None:
                self.reset()
                if self.patterns[last].loop:
                    self.running[last - 1] = carried
                return found
            elif last:
                self.running[last - 1] = None
        return None


class Matchers:
    """The matchers of one attempt at a job; one that was added later comes first."""

    def __init__(self, workspace: Path, to_outside: Callable[[str], str] = str) -> None:
        self._workspace = workspace
        self._to_outside = to_outside
        self._matchers: list[Matcher] = []
        self._limit = TimeLimit(_MATCH_SECONDS)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._matchers)

    def add(self, matcher: Matcher) -> None:
        """Add a matcher in place of one of the same owner."""
        self.remove(matcher.owner)
        self._matchers.insert(0, matcher)

    def remove(self, owner: str) -> None:
        """Remove the matcher of an owner, if there is one."""
        self._matchers = [matcher for matcher in self._matchers if matcher.owner.lower() != owner.lower()]

    def watched(self) -> TimeLimit:
        """Return a context in which a matcher that takes too long for a line is removed."""
        return self._limit

    def annotate(self, line: str) -> tuple[str, Annotation] | None:
        """Take the next line in; if it gives an annotation, return what stands for it in the log, and the annotation."""
        if len(line) > _LONGEST_LINE:
            return None
        plain = _COLOURS.sub("", line) if "\x1b[" in line else line
        trying: Matcher | None = None
        self._limit.start()
        try:
            for trying in self._matchers:
                found = trying.match(plain)
                annotation = None if found is None else self._found(found, trying)
                if annotation is not None:
                    return f"{annotation.tag}{plain}", annotation
        except RegexpTimeoutError:
            self._matchers = [other for other in self._matchers if other is not trying]
            warning = _too_slow(trying.owner if trying else "")
            return f"{line}\n{warning.tag}{warning}", warning
        finally:
            self._limit.stop()
        return None

    def _found(self, found: _Found, matcher: Matcher) -> Annotation | None:
        """Let the other matchers begin anew, and return the annotation."""
        for other in self._matchers:
            if other is not matcher:
                other.reset()
        return self._annotation(found, matcher)

    def _annotation(self, found: _Found, matcher: Matcher) -> Annotation | None:
        severity = (found.get("severity") or matcher.severity or "error").lower()
        message = found.get("message", "")
        if not message.strip() or severity not in set(AnnotationLevel):
            return None
        return Annotation(
            level=AnnotationLevel(severity),
            message=message,
            file=self._file(found.get("file", "").strip(), found.get("fromPath", "").strip()),
            line=_number(found.get("line")),
            end_line=_number(found.get("endLine")),
            column=_number(found.get("column")),
            end_column=_number(found.get("endColumn")),
            code=found.get("code", "").strip() or None,
        )

    def _file(self, name: str, base: str) -> str | None:
        """Return a file of the workspace as seen from there; None if there is no such file, as GitHub does."""
        if not name or "\0" in name:
            return None
        name, base = self._to_outside(name), self._to_outside(base)
        path = (self._workspace / Path(base).parent / name) if base else self._workspace / name
        try:
            path = path.resolve()
            inside = path.is_relative_to(self._workspace.resolve()) and path.is_file()
        except (OSError, RuntimeError):  # a name that is too long, a link to itself: nothing to point at
            return None
        return relative_file(str(path), self._workspace.resolve()) if inside else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < len(str(1 << 31)) else None


def _too_slow(owner: str) -> Annotation:
    message = f"the problem matcher '{owner}' took longer than {_MATCH_SECONDS:g} s for one line and was removed"
    return Annotation(level=AnnotationLevel.WARNING, message=message)
