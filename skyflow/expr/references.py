"""What an expression asks for: the context paths it reads and the functions it calls."""

from collections.abc import Iterator
from dataclasses import dataclass

from skyflow.expr.ast import Call, Context, Expr, Index, Literal, children, walk
from skyflow.expr.values import to_string

__all__ = ["Reference", "calls", "referenced"]


@dataclass(frozen=True, slots=True)
class Reference:
    """One access into a context, as far down as it is written.

    `path` starts with the context's name. A part is None where only the evaluation can tell it: a wildcard or a
    computed key. `spans` has the offsets of each part in the text, so that a finding can point at the very word.
    """

    path: tuple[str | None, ...]
    spans: tuple[tuple[int, int], ...]
    node: Expr

    @property
    def start(self) -> int:
        """The offset at which the access starts."""
        return self.node.start

    @property
    def end(self) -> int:
        """The offset behind the access."""
        return self.node.end


def referenced(expr: Expr | None) -> Iterator[Reference]:
    """Yield every access into a context, in reading order, the ones inside computed keys included.

    `needs.build.outputs.x` is one reference, with the path `("needs", "build", "outputs", "x")`.
    """
    if expr is None:
        return
    keys: list[Expr] = []
    node = expr
    while isinstance(node, Index):
        keys.append(node.key)
        node = node.target
    keys.reverse()
    if isinstance(node, Context):
        path = (node.name, *(_part(key) for key in keys))
        spans = ((node.start, node.end), *((key.start, key.end) for key in keys))
        yield Reference(path, spans, expr)
    for part in (*children(node), *keys):
        yield from referenced(part)


def _part(key: Expr) -> str | None:
    return to_string(key.value) if isinstance(key, Literal) else None


def calls(expr: Expr | None) -> Iterator[Call]:
    """Yield every function call, outer ones first."""
    if expr is not None:
        yield from (node for node in walk(expr) if isinstance(node, Call))
