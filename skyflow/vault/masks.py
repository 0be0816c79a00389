"""The texts by which a secret can be recognised in what the engine itself puts together: names, messages, outputs.

What programs make of a secret on the way to a log is the runner's business.
"""

import json
from collections.abc import Iterable, Iterator

from skyflow._util.masking import quoted

__all__ = ["masks_of"]


def masks_of(values: Iterable[str]) -> tuple[str, ...]:
    """Return what has to be hidden of secrets, longest first: each whole, each of its lines, and as expressions do."""
    found = {mask for value in values if value.strip() for mask in _shapes(value) if mask.strip()}
    return tuple(sorted(found, key=lambda mask: (-len(mask), mask)))


def _shapes(value: str) -> Iterator[str]:
    yield value
    for part in (value, *value.replace("\r", "\n").split("\n")):
        yield part.strip()
    yield json.dumps(value, ensure_ascii=False)[1:-1]  # toJSON(secrets)
    yield value.replace("'", "''")  # an expression that a message quotes
    for part in (value, *value.replace("\r", "\n").split("\n")):
        yield from quoted(part)  # what a function was called with, in a message
