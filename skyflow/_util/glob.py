"""Finds the files that patterns match, in the order GitHub's glob package finds them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skyflow._util.glob_pattern import (
    Kind,
    Pattern,
    parse_pattern,
    partly_matches,
    pattern_matches,
    with_descendants,
)

__all__ = ["PRIVATE_FOLDER", "Glob", "make_glob"]

PRIVATE_FOLDER = ".skyflow"
"""Where a project's runs, artifacts and caches are, unless the user has put them elsewhere."""


@dataclass(frozen=True, slots=True)
class Glob:
    """Patterns and how to follow them."""

    patterns: tuple[Pattern, ...]
    follow_links: bool = False
    descendants: bool = True
    """Whether what is below a folder that matches is meant with it."""
    skip_hidden: bool = False
    """Whether everything whose name begins with a dot is left out, with what is below it."""
    private: Path | None = None
    """A folder that is not found by searching around it: skyflow's own, which changes with every run."""

    @property
    def search_paths(self) -> tuple[Path, ...]:
        """Where the search begins: what comes before the first wildcards, without paths below others."""
        candidates = list(dict.fromkeys(pattern.search_path for pattern in self.patterns if not pattern.negate))
        return tuple(path for path in candidates if not any(parent in candidates for parent in path.parents))

    def walk(self) -> Iterator[tuple[Path, bool]]:
        """Yield each path that matches, and whether it is a folder: depth first, names in the order of their bytes.

        Broken links are left out when links are followed. A link to a folder it is in is not entered again.

        Raises:
            OSError: a folder cannot be read.
        """
        patterns = self.patterns
        if self.descendants:
            patterns = tuple(each for pattern in self.patterns for each in with_descendants(pattern))
        stack = [(path, 1) for path in reversed(self.search_paths) if os.path.lexists(path)]
        chain: list[str] = []
        while stack:
            path, level = stack.pop()
            match = pattern_matches(patterns, path)
            goes_deeper = bool(match) or partly_matches(patterns, path)
            if not goes_deeper or path == self.private or (self.skip_hidden and path.name.startswith(".")):
                continue
            if not self._is_folder(path):
                if Kind.FILE in match and not (self.follow_links and not path.exists()):
                    yield path, False
                continue
            if self.follow_links and not _enter(chain, path, level):
                continue
            if Kind.FOLDER in match:
                yield path, True
            stack += [(child, level + 1) for child in sorted(path.iterdir(), key=os.fsencode, reverse=True)]

    def _is_folder(self, path: Path) -> bool:
        return path.is_dir() and (self.follow_links or not path.is_symlink())


def make_glob(
    text: str,
    *,
    workspace: Path,
    home: Path | None = None,
    follow_links: bool = False,
    descendants: bool = True,
    skip_hidden: bool = False,
) -> Glob:
    """Read patterns, one per line; empty lines and those that begin with `#` are nothing.

    Raises:
        PatternError: a pattern cannot be used.
    """
    lines = [line.strip() for line in text.split("\n")]
    patterns = tuple(
        parse_pattern(line, workspace=workspace, home=home or Path.home())
        for line in lines
        if line and not line.startswith("#")
    )
    return Glob(
        patterns,
        follow_links=follow_links,
        descendants=descendants,
        skip_hidden=skip_hidden,
        private=workspace / PRIVATE_FOLDER,
    )


def _enter(chain: list[str], path: Path, level: int) -> bool:
    """Note that a folder is being entered; False if the way to it leads through the same folder."""
    real = os.path.realpath(path)
    del chain[level - 1 :]
    if real in chain:
        return False
    chain.append(real)
    return True
