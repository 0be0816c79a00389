"""Texts and numbers that mean an amount, a size or a duration."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from skyflow.spec.nodes import Node, ScalarNode, SequenceNode
from skyflow.spec.reading import Reading

__all__ = ["read_list", "read_quantity"]

_T = TypeVar("_T")


def read_quantity(reading: Reading, node: Node | None, parse: Callable[[str], _T]) -> _T | None:
    """Return what `parse` makes of a number or text; what it cannot read is a finding."""
    if node is None:
        return None
    try:
        return parse(_plain(reading, node))
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        reading.findings.error("bad-quantity", node.span, message, hint=hint or None)
        return None


def _plain(reading: Reading, node: Node) -> str:
    """Return a text, or a number without the exponent that GitHub's language gives to small and large ones."""
    text = reading.plain_text(node) or ""
    is_number = isinstance(node, ScalarNode) and isinstance(node.value, float)
    return f"{Decimal(text):f}" if is_number else text


def read_list(reading: Reading, node: Node | None) -> tuple[str, ...]:
    """Return the texts of a list, or the one that stands in its place."""
    found = node.items if isinstance(node, SequenceNode) else () if node is None else (node,)
    return tuple(text for item in found if (text := reading.plain_text(item)))
