"""Text as .NET sees it: what is blank, what equals ignoring case, what sorts first, how long it is."""

from typing import Final

__all__ = ["WHITESPACE", "same_text", "text_before", "upper", "utf16_length"]

WHITESPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""What .NET calls white space. Python's own idea also has the four ASCII separators U+001C to U+001F."""


class _UpperTable(dict[int, int]):
    """Upper case code point by code point, filled as letters are met.

    .NET's ordinal comparison maps each character to one character, so what Python would spread over several
    ("ß" to "SS") stays, or takes its single title-case form (as the Greek letters with iota below do). It also keeps
    the dotless i and the long s apart from I and S.
    """

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        forms = (letter.upper(), letter.title())
        self[code] = next((ord(form) for form in forms if len(form) == 1), code)
        return self[code]


_UPPER: Final = _UpperTable({0x0131: 0x0131, 0x017F: 0x017F})


def upper(text: str) -> str:
    """Return the text in the upper case that "ignoring case" means; its length never changes."""
    return text.upper() if text.isascii() else text.translate(_UPPER)


def same_text(left: str, right: str) -> bool:
    """Tell whether two strings are equal ignoring case."""
    return left == right or (len(left) == len(right) and upper(left) == upper(right))


def utf16_length(text: str) -> int:
    """Count UTF-16 units, the characters of GitHub's implementation: limits and positions are in these."""
    return len(text) if text.isascii() else len(text) + sum(letter > "\uffff" for letter in text)


def text_before(left: str, right: str) -> bool:
    """Tell whether one string sorts before another: by UTF-16 units, after upper-casing."""
    left, right = upper(left), upper(right)
    if left.isascii() or right.isascii():
        return left < right
    # Beyond the basic plane UTF-16 order is not code point order: surrogates sort below U+E000 to U+FFFF.
    return left.encode("utf-16-be", "surrogatepass") < right.encode("utf-16-be", "surrogatepass")
