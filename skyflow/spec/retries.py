"""`retry` of a job or step."""

from skyflow.model.retry import RetryPolicy, parse_retry_cause
from skyflow.model.status import Reason
from skyflow.model.units import parse_duration_seconds
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.quantities import read_quantity
from skyflow.spec.reading import Reading

__all__ = ["read_retry"]


def read_retry(reading: Reading, node: Node | None) -> RetryPolicy | None:
    """Return the policy: a number of tries, or a map."""
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        tries = _tries(reading, node)
        return None if tries is None else RetryPolicy(attempts=tries)
    fields = reading.fields(node)
    tries = _tries(reading, fields.take("attempts"))
    backoff = read_quantity(reading, fields.take("backoff"), parse_duration_seconds)
    listed = fields.take("on")
    causes: set[Reason] = set()
    codes: set[int] = set()
    for item in listed.items if isinstance(listed, SequenceNode) else ():
        try:
            cause = parse_retry_cause(reading.plain_text(item) or "")
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            reading.findings.error("bad-quantity", item.span, message, hint=hint)
            continue
        if isinstance(cause, Reason):
            causes.add(cause)
        else:
            codes.add(cause)
    if tries is None:
        return None
    return RetryPolicy(
        attempts=tries, backoff_seconds=backoff or 0.0, causes=frozenset(causes), exit_codes=frozenset(codes)
    )


def _tries(reading: Reading, node: Node | None) -> int | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, float) and value.is_integer() and value >= 1:
        return int(value)
    if node is not None:
        reading.findings.error("bad-quantity", node.span, "expected a whole number of tries, at least 1")
    return None
