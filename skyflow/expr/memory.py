"""How much memory an evaluation may use.

A workflow is text from anywhere, and `format('{0}{0}', ...)` nested a few dozen times would ask for petabytes. The
sizes are estimates that do not depend on the machine: GitHub's numbers for its own implementation, so that an
expression fits here exactly if it fits there.
"""

from typing import Final, final

from skyflow.errors import ExpressionError
from skyflow.expr.ast import Expr
from skyflow.expr.printer import unparse
from skyflow.expr.text import utf16_length
from skyflow.expr.values import Value

__all__ = ["DEFAULT_MAX_MEMORY", "Counter", "Ledger", "size_of"]

DEFAULT_MAX_MEMORY: Final = 1 << 20
"""1 MiB."""

OBJECT_SIZE: Final = 24
POINTER_SIZE: Final = 8
_STRING_OVERHEAD: Final = 26


def _text_size(text: str) -> int:
    return _STRING_OVERHEAD + 2 * utf16_length(text)


def size_of(value: Value) -> int:
    """Return what a result counts for; collections only for themselves, as their items exist already."""
    return _text_size(value) if isinstance(value, str) else OBJECT_SIZE


def _exceeded(expr: Expr) -> ExpressionError:
    # The text names the expression as GitHub would write it, every operator in parentheses.
    return ExpressionError(
        "The maximum allowed memory size was exceeded while evaluating the following expression: "
        + unparse(expr, grouped=True)
    )


@final
class Counter:
    """What one function builds."""

    __slots__ = ("_expr", "_limit", "total")

    def __init__(self, expr: Expr, limit: int) -> None:
        self._expr = expr
        self._limit = limit
        self.total = 0

    def add(self, size: int) -> None:
        """Count some bytes, or raise."""
        self.total += size
        if self.total > self._limit:
            raise _exceeded(self._expr)

    def add_text(self, text: str) -> None:
        """Count a string, or raise."""
        self.add(_text_size(text))


@final
class Ledger:
    """What a whole evaluation holds at a time, by level of the tree.

    Once a node has a primitive result, the results below it are garbage and no longer count. A collection may still
    refer to them, so they stay on the books.
    """

    __slots__ = ("_expr", "_levels", "_limit", "_total")

    def __init__(self, expr: Expr, limit: int) -> None:
        self._expr = expr
        self._limit = limit
        self._levels: list[int] = []
        self._total = 0

    def charge(self, level: int, size: int, *, settle: bool) -> None:
        """Book a result; `settle` drops what is booked on deeper levels. Raises if it is too much."""
        levels = self._levels
        if settle:
            while len(levels) > level + 1:
                self._total -= levels.pop()
        while len(levels) <= level:
            levels.append(0)
        levels[level] += size
        self._total += size
        if self._total > self._limit:
            raise _exceeded(self._expr)
