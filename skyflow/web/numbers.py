"""Numbers in what a browser asks for."""

__all__ = ["whole_number"]

_MOST_DIGITS = 15
"""More than anything is counted to here, and less than the database holds."""


def whole_number(text: str | None) -> int | None:
    """Return the number that a text is; None if it is none, or one that nothing here can have."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
