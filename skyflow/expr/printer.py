"""Trees back to text."""

import math
from collections.abc import Iterable
from typing import Final

from skyflow.expr.ast import PRECEDENCE, Binary, Call, Context, Expr, Index, Literal, Logical, Not, Wildcard
from skyflow.expr.lexer import is_keyword

__all__ = ["quote", "unparse"]

_POSTFIX: Final = 19


def unparse(expr: Expr, *, grouped: bool = False) -> str:
    """Write a tree as text that parses to the same tree.

    Args:
        expr: What to write.
        grouped: Put every operator in parentheses, as GitHub does in its messages, instead of only where needed.
    """
    return _text(expr, 0, grouped=grouped)


def quote(text: str) -> str:
    """Write a string literal."""
    return "'" + text.replace("'", "''") + "'"


def _text(expr: Expr, needed: int, *, grouped: bool) -> str:  # noqa: PLR0911 - one per kind of node
    """Write a node, in parentheses if it binds less tightly than is `needed` around it."""
    match expr:
        case Literal():
            return _literal(expr)
        case Context():
            return expr.name
        case Wildcard():
            return "*"
        case Call():
            return f"{expr.name}({_joined(', ', expr.args, 0, grouped=grouped)})"
        case Index():
            return _text(expr.target, _POSTFIX, grouped=grouped) + _key(expr.key, grouped=grouped)
        case Not():
            text = "!" + _text(expr.operand, PRECEDENCE["!"], grouped=grouped)
            return f"({text})" if needed > PRECEDENCE["!"] else text
        case Binary() | Logical():
            text = _operation(expr, grouped=grouped)
            return f"({text})" if grouped or needed > PRECEDENCE[expr.op] else text


def _operation(expr: Binary | Logical, *, grouped: bool) -> str:
    binding = PRECEDENCE[expr.op]
    if isinstance(expr, Logical):
        return _joined(f" {expr.op} ", expr.operands, binding + 1, grouped=grouped)
    left = _text(expr.left, binding, grouped=grouped)  # a chain groups to the left by itself
    return f"{left} {expr.op} {_text(expr.right, binding + 1, grouped=grouped)}"


def _joined(separator: str, exprs: Iterable[Expr], needed: int, *, grouped: bool) -> str:
    return separator.join(_text(expr, needed, grouped=grouped) for expr in exprs)


def _key(key: Expr, *, grouped: bool) -> str:
    if isinstance(key, Wildcard):
        return ".*"
    if isinstance(key, Literal) and isinstance(key.value, str) and is_keyword(key.value):
        return "." + key.value
    return f"[{_text(key, 0, grouped=grouped)}]"


def _literal(expr: Literal) -> str:
    value = expr.value
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value)


def _number(number: float) -> str:
    # All the digits it takes to read the same double again, unlike `to_string` with its 15.
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number).removesuffix(".0")
