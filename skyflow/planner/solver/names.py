"""Names that every LP writer keeps, one-to-one with ours.

CBC drops *all* row and column names of a model when a single one holds `-`, `:`, `[`, `>` or a blank, starts with a
digit, is longer than about 100 characters, or is a word of the LP format such as `end` (tried with python-mip 2.0.0).
The names here are parts: they stand inside `family(part,part)`, so a leading digit or such a word does no harm.
"""

import re
from collections.abc import Iterable

__all__ = ["lp_names", "lp_term"]

_PART_LENGTH = 22
"""So that the longest family with three parts and a step number stays below 100 characters."""


def lp_names(originals: Iterable[str], *, length: int = _PART_LENGTH) -> dict[str, str]:
    """Map each original to a legal part, no two of them to the same one.

    What is not a letter, a digit or a dot becomes `_`, what exceeds `length` is cut; where that makes two names meet,
    the later one gets a number: `a-b` and `a_b` become `a_b` and `a_b.2`.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for original in originals:
        if original in names:
            continue
        plain = re.sub(r"[^A-Za-z0-9.]", "_", original)[:length] or "_"
        name, number = plain, 1
        while name in taken:
            number += 1
            suffix = f".{number}"
            name = plain[: length - len(suffix)] + suffix
        names[original] = name
        taken.add(name)
    return names


def lp_term(family: str, *parts: str | int) -> str:
    """Return `family(part,part)`, the name of a row or a column; just `family` when there are no parts."""
    return f"{family}({','.join(map(str, parts))})" if parts else family
