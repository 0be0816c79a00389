"""Tokens to a tree.

Two stacks and no recursion, so text of any shape parses within the machine's limits; how deep the result may be is
checked at the end. Problems are reported in reading order: an unknown name before a missing bracket behind it.
"""

from collections.abc import Callable, Collection, Mapping
from typing import ClassVar, Final, cast

from skyflow.errors import ExpressionError
from skyflow.expr.ast import (
    PRECEDENCE,
    Binary,
    Call,
    Comparison,
    Connective,
    Context,
    Expr,
    Index,
    Literal,
    Logical,
    Not,
    Wildcard,
    depth,
)
from skyflow.expr.functions import BUILTINS, FunctionSpec
from skyflow.expr.lexer import Token, TokenKind, scan
from skyflow.expr.text import utf16_length

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "check_depth", "check_length", "parse"]

MAX_DEPTH: Final = 50
"""The most levels a tree may have."""
MAX_LENGTH: Final = 21_000
"""The longest text of an expression, in UTF-16 units."""

_OPENERS: Final = frozenset({TokenKind.OPEN_GROUP, TokenKind.OPEN_CALL, TokenKind.OPEN_INDEX})
_WANT_MORE: Final = _OPENERS | {TokenKind.OPERATOR, TokenKind.NOT, TokenKind.DOT, TokenKind.COMMA}


def parse(
    text: str,
    *,
    names: Collection[str] | None = None,
    functions: Mapping[str, FunctionSpec] = BUILTINS,
    offset: int = 0,
) -> Expr | None:
    """Parse an expression, the text between `${{` and `}}`.

    Args:
        text: The expression.
        names: The contexts that may be used, in any case; None allows every name.
        functions: The functions that may be called, by lower-case name.
        offset: Where the text starts in what the spans are to refer to. The message still counts from the start of
            the text, as GitHub's does.

    Returns:
        The tree, or None if the text is blank: a blank expression is null.

    Raises:
        ExpressionError: With GitHub's message, and the span of the offending token.
    """
    check_length(text)
    return _Parser(text, names, functions, offset).parse()


def check_length(text: str) -> None:
    """Raise if the text of an expression is too long."""
    if len(text) * 2 > MAX_LENGTH and utf16_length(text) > MAX_LENGTH:
        raise ExpressionError(f"Exceeded max expression length {MAX_LENGTH}")


def check_depth(expr: Expr) -> None:
    """Raise if a tree has too many levels."""
    if depth(expr) > MAX_DEPTH:
        raise ExpressionError(f"Exceeded max expression depth {MAX_DEPTH}")


class _Parser:
    """The two stacks, and what may be named."""

    __slots__ = (
        "_bases",
        "_callees",
        "_end",
        "_functions",
        "_last",
        "_names",
        "_offset",
        "_operands",
        "_operators",
        "_starts",
        "_text",
    )

    def __init__(
        self, text: str, names: Collection[str] | None, functions: Mapping[str, FunctionSpec], offset: int
    ) -> None:
        self._text = text
        self._names = names
        self._functions = functions
        self._offset = offset
        self._operands: list[Expr] = []
        # Where each operand starts, which is before its own span if it is in parentheses.
        self._starts: list[int] = []
        self._operators: list[Token] = []
        # For each open call: its function token, and how many operands there were before its arguments.
        self._callees: list[Token] = []
        self._bases: list[int] = []
        # Where the last token that was dealt with ends.
        self._end = offset
        self._last = TokenKind.COMMA

    def parse(self) -> Expr | None:
        handlers = self._HANDLERS
        count = 0
        token = None
        for token in scan(self._text):
            count += 1
            handlers[token.kind](self, token)
            self._end = token.start + len(token.text) + self._offset
            self._last = token.kind
        if token is None:
            return None
        if token.kind in _WANT_MORE or any(operator.kind in _OPENERS for operator in self._operators):
            raise self._error("Unexpected end of expression", token)
        self._reduce_above(0)
        (result,) = self._operands
        if count > MAX_DEPTH:  # every level takes a token of its own
            check_depth(result)
        return result

    def _error(self, what: str, token: Token) -> ExpressionError:
        position = utf16_length(self._text[: token.start]) + 1
        return ExpressionError(
            f"{what}: '{token.text}'. Located at position {position} within expression: {self._text}",
            start=token.start + self._offset,
            end=token.end + self._offset,
        )

    def _refuse(self, token: Token) -> None:
        raise self._error("Unexpected symbol", token)

    # ------------------------------------------------------------------------------------------------- operands

    def _push(self, node: Expr, start: int) -> None:
        self._operands.append(node)
        self._starts.append(start)

    def _take_literal(self, token: Token) -> None:
        start = token.start + self._offset
        self._push(Literal(token.value, start, start + len(token.text)), start)

    def _take_context(self, token: Token) -> None:
        if self._names is not None and not _is_among(token.text, self._names):
            raise self._error("Unrecognized named-value", token)
        start = token.start + self._offset
        self._push(Context(token.text, start, start + len(token.text)), start)

    def _take_property(self, token: Token) -> None:
        # A dot binds tightest of all, so it never has to wait on the stack.
        start = token.start + self._offset
        end = start + len(token.text)
        self._operands[-1] = Index(self._operands[-1], Literal(token.text, start, end), self._starts[-1], end)

    def _take_wildcard(self, token: Token) -> None:
        start = token.start + self._offset
        key = Wildcard(start, start + 1)
        if self._last is TokenKind.DOT:
            self._operands[-1] = Index(self._operands[-1], key, self._starts[-1], key.end)
        else:
            self._push(key, start)

    def _take_function(self, token: Token) -> None:
        if token.text.lower() not in self._functions:
            raise self._error("Unrecognized function", token)
        self._callees.append(token)

    # ------------------------------------------------------------------------------------------------- brackets

    def _hold(self, token: Token) -> None:
        """Keep a negation or an opening bracket until what follows it is complete."""
        self._operators.append(token)

    def _open_call(self, token: Token) -> None:
        self._bases.append(len(self._operands))
        self._operators.append(token)

    def _separate(self, _token: Token) -> None:
        self._reduce_above(0)

    def _ignore(self, token: Token) -> None:
        """Do nothing about a dot; the property behind it acts."""

    def _close(self, token: Token) -> None:
        self._reduce_above(0)
        opener = self._operators.pop()
        end = token.start + 1 + self._offset
        if opener.kind is TokenKind.OPEN_CALL:
            self._close_call(opener, end)
        elif opener.kind is TokenKind.OPEN_INDEX:
            key = self._operands.pop()
            self._starts.pop()
            self._operands[-1] = Index(self._operands[-1], key, self._starts[-1], end)
        else:
            self._starts[-1] = opener.start + self._offset

    def _close_call(self, opener: Token, end: int) -> None:
        callee = self._callees.pop()
        base = self._bases.pop()
        args = tuple(self._operands[base:])
        del self._operands[base:]
        del self._starts[base:]
        spec = self._functions[callee.text.lower()]
        # GitHub's messages point at the parenthesis, not at the name.
        if len(args) < spec.min_args:
            raise self._error("Too few parameters supplied", opener)
        if spec.max_args is not None and len(args) > spec.max_args:
            raise self._error("Too many parameters supplied", opener)
        if spec.odd_args and len(args) % 2 == 0:
            raise self._error("Even number of parameters supplied, requires an odd number of parameters", opener)
        start = callee.start + self._offset
        self._push(Call(callee.text, args, start, end), start)

    # ------------------------------------------------------------------------------------------------ operators

    def _take_operator(self, token: Token) -> None:
        """Put a binary operator on the stack, after building what binds at least as tightly before it.

        A chain of one connective is left to grow, and becomes a single node in the end.
        """
        binding = PRECEDENCE[token.text]
        self._reduce_above(binding)
        top = self._operators[-1] if self._operators else None
        if top is not None and PRECEDENCE.get(top.text) == binding and not _is_connective(token):
            self._reduce()
        self._operators.append(token)

    def _reduce_above(self, binding: int) -> None:
        """Build the operators on the stack that bind tighter, down to the innermost open bracket."""
        while self._operators and PRECEDENCE.get(self._operators[-1].text, -1) > binding:
            self._reduce()

    def _reduce(self) -> None:
        """Build the node of the topmost operator."""
        operator = self._operators.pop()
        if operator.kind is TokenKind.NOT:
            start = operator.start + self._offset
            self._operands[-1] = Not(self._operands[-1], start, self._end)
            self._starts[-1] = start
            return
        count = 2
        if _is_connective(operator):
            while self._operators and self._operators[-1].text == operator.text:
                self._operators.pop()
                count += 1
        operands = self._operands[-count:]
        del self._operands[-count:]
        del self._starts[1 - count :]
        start = self._starts[-1]
        if _is_connective(operator):
            op = cast("Connective", operator.text)
            self._operands.append(Logical(op, _flattened(op, operands), start, self._end))
        else:
            comparison = cast("Comparison", operator.text)
            self._operands.append(Binary(comparison, operands[0], operands[1], start, self._end))

    _HANDLERS: ClassVar[Mapping[TokenKind, Callable[["_Parser", Token], None]]] = {
        TokenKind.LITERAL: _take_literal,
        TokenKind.CONTEXT: _take_context,
        TokenKind.PROPERTY: _take_property,
        TokenKind.WILDCARD: _take_wildcard,
        TokenKind.FUNCTION: _take_function,
        TokenKind.NOT: _hold,
        TokenKind.OPERATOR: _take_operator,
        TokenKind.DOT: _ignore,
        TokenKind.OPEN_GROUP: _hold,
        TokenKind.OPEN_CALL: _open_call,
        TokenKind.OPEN_INDEX: _hold,
        TokenKind.CLOSE: _close,
        TokenKind.COMMA: _separate,
        TokenKind.UNEXPECTED: _refuse,
    }


def _is_connective(token: Token) -> bool:
    return token.text in ("&&", "||")


def _flattened(op: Connective, operands: list[Expr]) -> tuple[Expr, ...]:
    flat: list[Expr] = []
    for operand in operands:
        if isinstance(operand, Logical) and operand.op == op:
            flat.extend(operand.operands)
        else:
            flat.append(operand)
    return tuple(flat)


def _is_among(name: str, names: Collection[str]) -> bool:
    if name in names:
        return True
    lowered = name.lower()
    return any(lowered == other.lower() for other in names)
