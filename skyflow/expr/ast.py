"""The tree an expression parses to.

Every node knows where it stands: `start` and `end` are 0-based offsets into the text it was read from, `end`
exclusive. They do not take part in comparisons, so two trees are equal if they mean the same.

Parentheses leave no node, and `a.b` is the same tree as `a['b']`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from typing import Literal as OneOf

__all__ = [
    "PRECEDENCE",
    "Binary",
    "Call",
    "Comparison",
    "Connective",
    "Context",
    "Expr",
    "Index",
    "Literal",
    "Logical",
    "Not",
    "Wildcard",
    "children",
    "depth",
    "walk",
]

Comparison: TypeAlias = OneOf["==", "!=", "<", "<=", ">", ">="]
Connective: TypeAlias = OneOf["&&", "||"]

PRECEDENCE: Final[Mapping[str, int]] = {
    "||": 5, "&&": 6, "==": 10, "!=": 10, "<": 11, "<=": 11, ">": 11, ">=": 11, "!": 16,
}  # fmt: skip
"""How tightly operators bind; a larger number binds more tightly. The numbers are those of GitHub's own parser, in which postfixes have 19."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: null, a boolean, a number or a string."""

    value: bool | float | str | None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Context:
    """A named context such as `github`, spelled as in the text."""

    name: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """The `*` of `a.*` and `a[*]`."""

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`target[key]`; `target.key` has a string literal for its key, `target.*` a wildcard."""

    target: "Expr"
    key: "Expr"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; the name is spelled as in the text."""

    name: str
    args: "tuple[Expr, ...]"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`!operand`."""

    operand: "Expr"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison of two operands."""

    op: Comparison
    left: "Expr"
    right: "Expr"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Logical:
    """A chain of one connective, flattened: `a && (b && c)` has three operands."""

    op: Connective
    operands: "tuple[Expr, ...]"
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


Expr: TypeAlias = Literal | Context | Wildcard | Index | Call | Not | Binary | Logical


def children(expr: Expr) -> "tuple[Expr, ...]":
    """Return the parts of a node in the order they are written."""
    match expr:
        case Literal() | Context() | Wildcard():
            return ()
        case Index():
            return (expr.target, expr.key)
        case Call():
            return expr.args
        case Not():
            return (expr.operand,)
        case Binary():
            return (expr.left, expr.right)
        case Logical():
            return expr.operands


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield a node and everything below it, parents first."""
    pending = [expr]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))


def depth(expr: Expr) -> int:
    """Return the number of levels of a tree; a leaf has one."""
    # Level by level instead of recursively: this is what protects every recursion elsewhere.
    level: list[Expr] = [expr]
    levels = 0
    while level:
        levels += 1
        level = [child for node in level for child in children(node)]
    return levels
