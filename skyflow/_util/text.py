"""Small things about words: suggestions for a misspelt one, and lists for sentences."""

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest", "sentence_list"]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most likely stands for, or None when nothing is close enough.

    Case is ignored, a swap of neighbouring letters counts as one slip, and a third of the letters may be wrong. Of
    equally near words the first in `known` wins, so that the answer does not depend on chance.
    """
    best: tuple[int, str] | None = None
    letters = set(word.lower())
    for candidate in known:
        allowed = max(1, max(len(word), len(candidate)) // 3)
        if len(letters ^ set(candidate.lower())) > 2 * allowed:  # one slip replaces at most one letter by another
            continue
        slips = _distance(word.lower(), candidate.lower(), at_most=allowed)
        if slips <= allowed and slips < len(candidate) and (best is None or slips < best[0]):
            best = (slips, candidate)
    return best[1] if best else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str | None = None) -> str | None:
    """Return a hint for a word that is not one of `known`: the nearest one, else `otherwise`."""
    suggestion = nearest(word, known)
    return f"did you mean '{suggestion}'?" if suggestion is not None else otherwise


def sentence_list(words: Iterable[str], *, conjunction: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    *head, last = list(words) or [""]
    return f"{', '.join(head)} {conjunction} {last}" if head else last


def _distance(left: str, right: str, *, at_most: int) -> int:
    """Return the number of slips between two words (optimal string alignment), or more than `at_most`."""
    if abs(len(left) - len(right)) > at_most:
        return at_most + 1
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            slips = min(above[column] + 1, current[column - 1] + 1, above[column - 1] + (letter != other))
            swapped = row > 1 and column > 1 and left[row - 2] == other and right[column - 2] == letter
            current.append(min(slips, before[column - 2] + 1) if swapped else slips)
        if min(current) > at_most:
            return at_most + 1
        before, above = above, current
    return above[-1]
