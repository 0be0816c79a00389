"""`resources` of a job: what it asks of a machine, and of the place where it stands."""

from skyflow.model.resources import (
    LOCAL,
    Accelerators,
    Alternatives,
    Limits,
    Market,
    Requirements,
    parse_accelerators,
    parse_amount,
    parse_disk,
    parse_memory,
    parse_nodes,
    parse_part_of,
    parse_share,
)
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.quantities import read_list, read_quantity
from skyflow.spec.reading import Fields, Reading

__all__ = ["read_accelerators", "read_requirements"]


def read_requirements(reading: Reading, node: Node | None, providers: frozenset[str] | None) -> Requirements:
    """Return what `resources` asks for, on the providers that `runs-on` allows."""
    fields = reading.fields(node)
    nodes = read_quantity(reading, fields.take("nodes"), parse_nodes) or 1
    reuse = fields.take("reuse")
    return Requirements(
        cpus=read_quantity(reading, fields.take("cpus"), parse_amount),
        memory_gib=read_quantity(reading, fields.take("memory"), parse_memory),
        accelerators=read_accelerators(reading, fields.take("accelerators")),
        market=_market(reading, fields.take("market")),
        providers=_providers(reading, fields.take("clouds"), providers),
        instance_types=_names(reading, fields, "instance-type"),
        arch=reading.plain_text(fields.take("arch")),
        capabilities=_names(reading, fields, "capabilities") or frozenset(),
        limits=Limits(
            regions=_names(reading, fields, "regions"),
            zones=_names(reading, fields, "zones"),
            jurisdictions=_names(reading, fields, "jurisdictions"),
            countries=_names(reading, fields, "countries"),
            partitions=_names(reading, fields, "partitions"),
        ),
        nodes=nodes,
        min_on_demand=read_quantity(reading, fields.take("min-on-demand"), parse_part_of(nodes)) or 0,
        disk_gib=read_quantity(reading, fields.take("disk"), parse_disk),
        ports=read_list(reading, fields.take("ports")),
        image=reading.plain_text(fields.take("image")),
        utilization=read_quantity(reading, fields.take("utilization"), parse_share),
        reuse=not isinstance(reuse, ScalarNode) or reuse.value is not False,
    )


def read_accelerators(reading: Reading, node: Node | None) -> Accelerators | Alternatives | None:
    """Return one kind of accelerator, a choice of several (a map), or several in order (a list)."""
    match node:
        case SequenceNode():
            read = (read_quantity(reading, item, parse_accelerators) for item in node.items)
            options = tuple(option for option in read if option is not None)
        case MappingNode():
            options = tuple(_counted(reading, node))
        case _:
            return read_quantity(reading, node, parse_accelerators)
    if len(options) > 1:
        return Alternatives(options, in_order=isinstance(node, SequenceNode))
    return options[0] if options else None


def _counted(reading: Reading, node: MappingNode) -> list[Accelerators]:
    found = []
    for key, value in reading.fields(node).rest():
        count = value.value if isinstance(value, ScalarNode) else None
        if not isinstance(count, float) or not 0 < count < float("inf"):
            message = f"expected how many of '{key.key}', a number above zero"
            reading.findings.error("bad-quantity", value.span, message, hint="for example {A100: 8}")
            continue
        device = read_quantity(reading, key, parse_accelerators)
        if device is not None:
            total = device.count * count
            found.append(Accelerators(name=device.name, count=int(total) if total.is_integer() else total))
    if not found and not node.entries:
        message = "expected a type of accelerator and how many"
        reading.findings.error("bad-quantity", node.span, message, hint="for example {A100: 8}")
    return found


def _market(reading: Reading, node: Node | None) -> Market:
    market = reading.plain_text(node)
    return Market.ON_DEMAND if market is None else Market(market)


def _names(reading: Reading, fields: Fields, key: str) -> frozenset[str] | None:
    found = read_list(reading, fields.take(key))
    return frozenset(found) or None


def _providers(reading: Reading, node: Node | None, allowed: frozenset[str] | None) -> frozenset[str] | None:
    """Return the providers that both `clouds` and `runs-on` allow."""
    asked = frozenset(read_list(reading, node))
    if node is None or not asked:
        return allowed
    both = asked if allowed is None else asked & allowed
    if not both:
        here = allowed == frozenset({LOCAL})
        reading.findings.error(
            "clouds-excluded",
            node.span,
            "`runs-on` means this machine, which `clouds` leaves out" if here else "`runs-on` allows none of these",
            hint="write `runs-on: sky` to run anywhere, or leave one of the two away",
        )
    return both or asked
