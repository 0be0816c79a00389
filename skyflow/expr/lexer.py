"""Text to tokens.

What a character means depends on what came before it (`.5` is a number after `==`, `.b` a property after `a`), so the
scanner keeps track of where it stands. That lets it also say at once that a token cannot stand there: such a token
comes out as `UNEXPECTED` and is the last one. Scanning is lazy, so the caller meets problems in reading order.
"""

import math
import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

from skyflow.expr.text import WHITESPACE
from skyflow.expr.values import parse_number

__all__ = ["Token", "TokenKind", "is_keyword", "scan"]


class TokenKind(IntEnum):
    """What a token is, told by the place it stands in."""

    LITERAL = 1
    CONTEXT = 2
    PROPERTY = 3
    WILDCARD = 4
    FUNCTION = 5
    NOT = 6
    OPERATOR = 7
    DOT = 8
    OPEN_GROUP = 9
    OPEN_CALL = 10
    OPEN_INDEX = 11
    CLOSE = 12
    """`)` or `]`; it is only let through where it closes what was opened last."""
    COMMA = 13
    UNEXPECTED = 14


class Token(NamedTuple):
    """One token; `value` is what a literal stands for."""

    kind: TokenKind
    text: str
    start: int
    value: bool | float | str | None = None

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.start + len(self.text)


class _Place(IntEnum):
    """Where the scanner stands, by what the last token allows to follow."""

    OPERAND = 0
    """At the start, after `,`, `(` or an operator."""
    ARGUMENT = 1
    """After the `(` of a call: as OPERAND, but `)` may follow."""
    KEY = 2
    """After `[`: as OPERAND, but `*` may follow."""
    MEMBER = 3
    """After `.`."""
    AFTER_LITERAL = 4
    """After a constant, which cannot be indexed."""
    AFTER_VALUE = 5
    """After anything that can be indexed."""
    CALLEE = 6
    """After the name of a function, which was only taken for one because `(` follows."""


# A word or a number runs to one of these; a dot ends a word but not a number.
_BLANKS = re.escape(WHITESPACE)
_STOPS = re.escape("([)],!><=&|") + _BLANKS

_TOKEN = re.compile(
    rf"""[{_BLANKS}]*(?:
      (?P<word>[A-Za-z_][A-Za-z0-9_-]*+(?=[.{_STOPS}]|\Z))(?P<call>(?=[{_BLANKS}]*\())?
    | (?P<sign>&&|\|\||[=!<>]=|[()\[\],*.!<>])
    | (?P<string>'(?:[^']|'')*+')
    | (?P<number>[0-9+\-])
    | (?P<junk>'.*|[=&|][^.{_STOPS}]*|[^.{_STOPS}]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER_RUN = re.compile(rf".[^{_STOPS}]*")
_KEYWORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

_CONSTANTS: Final[dict[str, bool | float | None]] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": math.nan,
    "Infinity": math.inf,
}
_SIGNS: Final = {
    "(": TokenKind.OPEN_GROUP,
    "[": TokenKind.OPEN_INDEX,
    ")": TokenKind.CLOSE,
    "]": TokenKind.CLOSE,
    ",": TokenKind.COMMA,
    "*": TokenKind.WILDCARD,
    ".": TokenKind.DOT,
    "!": TokenKind.NOT,
    **dict.fromkeys(("&&", "||", "==", "!=", "<", "<=", ">", ">="), TokenKind.OPERATOR),
}

_OPERAND_PLACES: Final = frozenset({_Place.OPERAND, _Place.ARGUMENT, _Place.KEY})
_AFTER_PLACES: Final = frozenset({_Place.AFTER_LITERAL, _Place.AFTER_VALUE})
_INDEXABLE: Final = frozenset({_Place.AFTER_VALUE})

_MAY_STAND: Final = {
    TokenKind.LITERAL: _OPERAND_PLACES,
    TokenKind.CONTEXT: _OPERAND_PLACES,
    TokenKind.FUNCTION: _OPERAND_PLACES,
    TokenKind.NOT: _OPERAND_PLACES,
    TokenKind.OPEN_GROUP: _OPERAND_PLACES,
    TokenKind.PROPERTY: frozenset({_Place.MEMBER}),
    TokenKind.WILDCARD: frozenset({_Place.MEMBER, _Place.KEY}),
    TokenKind.OPERATOR: _AFTER_PLACES,
    TokenKind.COMMA: _AFTER_PLACES,
    TokenKind.CLOSE: _AFTER_PLACES | {_Place.ARGUMENT},
    TokenKind.DOT: _INDEXABLE,
    TokenKind.OPEN_INDEX: _INDEXABLE,
    TokenKind.OPEN_CALL: frozenset({_Place.CALLEE}),
    TokenKind.UNEXPECTED: frozenset[_Place](),
}
_LEADS_TO: Final = {
    TokenKind.LITERAL: _Place.AFTER_LITERAL,
    TokenKind.CONTEXT: _Place.AFTER_VALUE,
    TokenKind.FUNCTION: _Place.CALLEE,
    TokenKind.NOT: _Place.OPERAND,
    TokenKind.OPEN_GROUP: _Place.OPERAND,
    TokenKind.PROPERTY: _Place.AFTER_VALUE,
    TokenKind.WILDCARD: _Place.AFTER_VALUE,
    TokenKind.OPERATOR: _Place.OPERAND,
    TokenKind.COMMA: _Place.OPERAND,
    TokenKind.CLOSE: _Place.AFTER_VALUE,
    TokenKind.DOT: _Place.MEMBER,
    TokenKind.OPEN_INDEX: _Place.KEY,
    TokenKind.OPEN_CALL: _Place.ARGUMENT,
}
_BRACKETS: Final = frozenset(
    {TokenKind.OPEN_GROUP, TokenKind.OPEN_CALL, TokenKind.OPEN_INDEX, TokenKind.CLOSE, TokenKind.COMMA}
)
_CLOSED_BY: Final = {TokenKind.OPEN_GROUP: ")", TokenKind.OPEN_CALL: ")", TokenKind.OPEN_INDEX: "]"}


def is_keyword(text: str) -> bool:
    """Tell whether the text may follow a dot, or name a context or function."""
    return _KEYWORD.fullmatch(text) is not None


def scan(text: str) -> Iterator[Token]:
    """Yield the tokens of an expression; after an `UNEXPECTED` one there are no more."""
    place = _Place.OPERAND
    unclosed: list[TokenKind] = []
    position = 0
    while match := _TOKEN.match(text, position):
        token = _read(text, match, place)
        kind = token.kind
        if place not in _MAY_STAND[kind] or (kind in _BRACKETS and not _fits(token, unclosed)):
            yield token._replace(kind=TokenKind.UNEXPECTED)
            return
        yield token
        place = _LEADS_TO[kind]
        position = token.start + len(token.text)


def _fits(token: Token, unclosed: list[TokenKind]) -> bool:
    """Tell whether a bracket or comma agrees with the brackets that are open, and keep those up to date."""
    if token.kind is TokenKind.COMMA:
        return bool(unclosed) and unclosed[-1] is TokenKind.OPEN_CALL
    if token.kind is TokenKind.CLOSE:
        return bool(unclosed) and _CLOSED_BY[unclosed.pop()] == token.text
    unclosed.append(token.kind)
    return True


def _read(text: str, match: re.Match[str], place: _Place) -> Token:
    """Turn a match into the token it is at this place."""
    raw = match["word"]
    if raw is not None:
        return _read_word(raw, match, place)
    group = match.lastgroup or ""
    start, raw = match.start(group), match[group]
    if group == "number" or (raw == "." and place in _OPERAND_PLACES):
        return _read_number(text, start)
    if group == "string":
        return Token(TokenKind.LITERAL, raw, start, raw[1:-1].replace("''", "'"))
    if place is _Place.CALLEE:
        return Token(TokenKind.OPEN_CALL, raw, start)
    return Token(_SIGNS.get(raw, TokenKind.UNEXPECTED), raw, start)


def _read_word(raw: str, match: re.Match[str], place: _Place) -> Token:
    start = match.start("word")
    if place is _Place.MEMBER:
        return Token(TokenKind.PROPERTY, raw, start)
    if raw in _CONSTANTS:
        return Token(TokenKind.LITERAL, raw, start, _CONSTANTS[raw])
    return Token(TokenKind.CONTEXT if match["call"] is None else TokenKind.FUNCTION, raw, start)


def _read_number(text: str, start: int) -> Token:
    run = _NUMBER_RUN.match(text, start)
    raw = "" if run is None else run[0]
    number = parse_number(raw)
    return Token(TokenKind.UNEXPECTED if math.isnan(number) else TokenKind.LITERAL, raw, start, number)
