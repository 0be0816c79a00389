"""Keeps secrets out of what is written when skyflow itself fails.

What a run shows and stores is hidden where it comes from. This is for the rest: the command line and the traceback in a
crash report, and messages of errors that nobody foresaw.
"""

from collections.abc import Iterable, Sequence

__all__ = ["hide_from_now_on", "redacted", "redacted_arguments"]

_OPTION = "--secret"
_masks: list[str] = []
"""Of the whole process, since an error is reported where nothing else is known any more."""


def hide_from_now_on(masks: Iterable[str]) -> None:
    """Remember texts that no report may hold."""
    _masks.extend(masks)


def redacted(text: str) -> str:
    """Return a text without the secrets of this process."""
    for mask in sorted(_masks, key=len, reverse=True):
        text = text.replace(mask, "***")
    return text


def redacted_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line without the values of `--secret`, whether they have been understood or not."""
    shown: list[str] = []
    before = ""
    for argument in arguments:
        if before == _OPTION or argument.startswith(f"{_OPTION}="):
            shown.append(f"{_OPTION}=***" if before != _OPTION else "***")
        else:
            shown.append(argument)
        before = argument
    return shown
