"""skyflow's own keys of a job beside `resources`: `estimate` and `data`."""

from skyflow.model.resources import Estimate
from skyflow.model.units import parse_duration_seconds, parse_size_gb
from skyflow.spec.nodes import MappingNode, Node
from skyflow.spec.quantities import read_quantity
from skyflow.spec.reading import Reading

__all__ = ["read_data", "read_duration", "read_estimate"]


def read_estimate(reading: Reading, node: Node | None) -> Estimate | None:
    """Return `estimate`, a duration or a map."""
    if node is None:
        return None
    if not isinstance(node, MappingNode):
        seconds = read_quantity(reading, node, parse_duration_seconds)
        return None if seconds is None else Estimate(seconds=seconds)
    fields = reading.fields(node)
    seconds = read_quantity(reading, fields.take("duration"), parse_duration_seconds)
    refined: list[tuple[str, float]] = []
    for key, value in reading.fields(fields.take("on")).rest():
        duration = read_quantity(reading, value, parse_duration_seconds)
        if duration is not None:
            refined.append((key.key, duration))
    return None if seconds is None else Estimate(seconds=seconds, on=tuple(refined))


def read_duration(reading: Reading, node: Node | None) -> float | None:
    """Return a duration in seconds."""
    return read_quantity(reading, node, parse_duration_seconds)


def read_data(reading: Reading, node: Node | None) -> tuple[tuple[str, float], ...]:
    """Return `data`, in decimal gigabytes by the id of the needed job."""
    sizes: list[tuple[str, float]] = []
    for key, value in reading.fields(node).rest():
        size = read_quantity(reading, value, parse_size_gb)
        if size is not None:
            sizes.append((key.key, size))
    return tuple(sizes)
