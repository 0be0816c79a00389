"""Values of options with units: durations, money, emissions."""

from collections.abc import Callable

from skyflow.errors import UsageError

__all__ = ["read_option"]


def read_option(option: str, text: str, parse: Callable[[str], float]) -> float:
    """Return the value of an option in the unit of a parser of `model.units`.

    Raises:
        UsageError: the parser does not understand it; the message names the option.
    """
    try:
        return parse(text)
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise UsageError(f"{option}: {message}", hint=hint or None) from error
