"""What a job asks of a machine: its key `resources`."""

from collections.abc import Callable
from typing import TypeVar

from skyflow.model.resources import (
    Accelerators,
    Market,
    Requirements,
    parse_accelerators,
    parse_amount,
    parse_memory,
)
from skyflow.spec.nodes import MappingNode, Node, ScalarNode
from skyflow.spec.reading import Reading

__all__ = ["read_quantity", "read_requirements"]

_T = TypeVar("_T")


def read_requirements(reading: Reading, node: Node | None, providers: frozenset[str] | None) -> Requirements:
    """Return what `resources` asks for, on the providers that `runs-on` allows."""
    fields = reading.fields(node)
    return Requirements(
        cpus=read_quantity(reading, fields.take("cpus"), parse_amount),
        memory_gib=read_quantity(reading, fields.take("memory"), parse_memory),
        accelerators=_accelerators(reading, fields.take("accelerators")),
        market=_market(reading, fields.take("market")),
        providers=providers,
    )


def read_quantity(reading: Reading, node: Node | None, parse: Callable[[str], _T]) -> _T | None:
    """Return what `parse` makes of a number or text."""
    if node is None:
        return None
    try:
        return parse(reading.plain_text(node) or "")
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        reading.findings.error("bad-quantity", node.span, message, hint=hint or None)
        return None


def _accelerators(reading: Reading, node: Node | None) -> Accelerators | None:
    if not isinstance(node, MappingNode):
        return read_quantity(reading, node, parse_accelerators)
    counts = [(key.key, value) for key, value in reading.fields(node).rest()]
    if len(counts) == 1 and isinstance(counts[0][1], ScalarNode):
        name, count = counts[0][0], counts[0][1].value
        if isinstance(count, float) and count.is_integer() and count >= 1:
            return Accelerators(name=name, count=int(count))
    message = "expected one type of accelerator and how many, a whole number"
    reading.findings.error("bad-quantity", node.span, message, hint="for example {A100: 8}")
    return None


def _market(reading: Reading, node: Node | None) -> Market:
    market = reading.plain_text(node)
    return Market.ON_DEMAND if market is None else Market(market)
