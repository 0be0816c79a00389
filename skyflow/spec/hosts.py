"""The hosts of a pool in `skyflow.yml`: machines that are reached over SSH."""

from dataclasses import replace
from typing import TypedDict

from skyflow.model.hosts import SshHost, parse_host, parse_port
from skyflow.spec.nodes import MappingNode, Node, ScalarNode, SequenceNode
from skyflow.spec.quantities import read_quantity
from skyflow.spec.reading import Fields, Reading

__all__ = ["Said", "read_host", "read_hosts", "read_said"]


class Said(TypedDict, total=False):
    """What is said about how a host is reached."""

    user: str
    port: int
    identity: str
    python: str
    folder: str


def read_hosts(
    reading: Reading, key: ScalarNode, fields: Fields, *, kind: str, common: Said, taken: dict[str, str]
) -> tuple[SshHost, ...]:
    """Return the hosts of a pool.

    Args:
        reading: the file.
        key: the name of the pool.
        fields: what is said about it; `hosts` are taken.
        kind: what its machines are.
        common: what is said of all hosts.
        taken: the hosts of the pools before, with the names of these; those of this one are added.
    """
    node = fields.take("hosts")
    if node is None:
        return ()
    if kind == "slurm":
        message = f"'{key.key}' is a Slurm partition, whose machines are not reached one by one"
        reading.findings.error("pool-hosts", node.span, message, hint="write 'kind: ssh' for machines of an SSH pool")
    items = node.items if isinstance(node, SequenceNode) else ()
    if not items:
        reading.findings.error("pool-hosts", node.span, f"'{key.key}' has no hosts", hint="name one, or remove 'hosts'")
    hosts: list[SshHost] = []
    for item in items:
        host = read_host(reading, item, common)
        if host is None:
            continue
        if host.name in taken:
            message = f"host '{host.name}' is among the machines '{taken[host.name]}' already"
            reading.findings.error("pool-hosts", item.span, message, hint="say with 'slots' how many jobs it runs")
        taken[host.name] = key.key
        hosts.append(host)
    return tuple(hosts)


def read_host(reading: Reading, node: Node, common: Said) -> SshHost | None:
    """Read one host: what it says itself goes before what its name says, and that before what holds for all."""
    own = reading.fields(node)
    host = read_quantity(reading, own.take("host") if isinstance(node, MappingNode) else node, parse_host)
    host_key = reading.plain_text(own.take("host-key"))
    said = read_said(reading, own)
    if host is None:
        return None
    named = Said()
    if host.user is not None:
        named["user"] = host.user
    if host.port is not None:
        named["port"] = host.port
    merged: Said = {**common, **named, **said}
    return replace(host, host_keys=(host_key,) if host_key else (), **merged)


def read_said(reading: Reading, fields: Fields) -> Said:
    """Read how a host is reached, or several."""
    said = Said()
    if port := read_quantity(reading, fields.take("port"), parse_port):
        said["port"] = port
    if user := reading.plain_text(fields.take("user")):
        said["user"] = user
    if identity := reading.plain_text(fields.take("identity")):
        said["identity"] = identity
    if python := reading.plain_text(fields.take("python")):
        said["python"] = python
    if folder := reading.plain_text(fields.take("folder")):
        said["folder"] = folder
    return said
