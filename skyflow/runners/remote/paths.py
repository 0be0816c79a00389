"""The folders of a run here, and what stands for them on another machine."""

import re
from dataclasses import dataclass

__all__ = ["PathPairs"]

_BEFORE, _AFTER = r"(?<![\w.\-/])", r"(?![\w.\-])"
"""What may not stand around a path: with `/a/b` known, neither `/a/bc` nor `/x/a/b` is meant."""


@dataclass(frozen=True, slots=True)
class PathPairs:
    """Pairs of a path here and a path there; of several that fit, the longest one counts."""

    pairs: tuple[tuple[str, str], ...]

    def to_there(self, text: str) -> str:
        """Return a text with the paths in it as they are on the other machine."""
        return _replaced(text, self.pairs)

    def to_here(self, text: str) -> str:
        """Return a text with the paths in it as they are here."""
        return _replaced(text, tuple((there, here) for here, there in self.pairs))


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    new = {old: fresh for old, fresh in pairs if old in text}
    if not new:
        return text
    pattern = "|".join(re.escape(old) for old in sorted(new, key=lambda old: -len(old)))
    return re.sub(f"{_BEFORE}(?:{pattern}){_AFTER}", lambda match: new[match[0]], text)
