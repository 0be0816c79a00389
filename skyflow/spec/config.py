"""A project's `skyflow.yml`."""

import math
from collections.abc import Iterator

from skyflow.diagnostics import Diagnostic, has_errors, in_reading_order
from skyflow.errors import WorkflowInvalidError
from skyflow.model.config import ActionFolder, OwnPool, Peering, PriceRule, ProjectConfig
from skyflow.model.execution import LOG_LIMIT_BYTES
from skyflow.model.hosts import SshHost
from skyflow.model.resources import (
    Accelerators,
    Alternatives,
    Market,
    parse_count,
    parse_disk,
    parse_money,
    parse_nodes,
    parse_rate,
    parse_share,
)
from skyflow.model.units import parse_size_gb, parse_size_gib
from skyflow.spec.findings import FileRefusedError, Findings
from skyflow.spec.grammar.config import CONFIG
from skyflow.spec.hosts import read_hosts, read_said
from skyflow.spec.nodes import Node, ScalarNode, SequenceNode
from skyflow.spec.quantities import read_list, read_quantity
from skyflow.spec.reading import Fields, Reading
from skyflow.spec.requirements import read_accelerators
from skyflow.spec.slurm import read_slurm
from skyflow.spec.source import decode
from skyflow.spec.stores import read_stores
from skyflow.spec.tree import compose
from skyflow.spec.uses import is_built_in
from skyflow.spec.walk import walk

__all__ = ["load"]

_PER_CENT = 100
_OWNER_AND_REPOSITORY = 2


def load(path: str, content: bytes | str) -> tuple[ProjectConfig, tuple[Diagnostic, ...]]:
    """Return what a file says, and what is odd about it; an empty file says nothing.

    Raises:
        WorkflowInvalidError: the file has errors; it carries all findings.
    """
    findings = Findings(path)
    try:
        text = decode(content, findings)
        if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
            return ProjectConfig(), ()
        root = compose(text, findings)
    except FileRefusedError:
        raise WorkflowInvalidError(in_reading_order(findings.found)) from None
    templates = walk(root, CONFIG, text, findings)
    if not has_errors(findings.found):
        config = _read(Reading(findings, text, templates), root)
        if not has_errors(findings.found):
            return config, in_reading_order(findings.found)
    raise WorkflowInvalidError(in_reading_order(findings.found))


def _read(reading: Reading, root: Node) -> ProjectConfig:
    fields = reading.fields(root)
    taken: dict[str, str] = {}
    machines = reading.fields(fields.take("machines")).rest()
    idle = read_quantity(reading, fields.take("idle-minutes"), _minutes)
    log_limit = read_quantity(reading, fields.take("log-limit"), parse_size_gb)
    return ProjectConfig(
        pools=tuple(_pool(reading, key, value, taken) for key, value in machines),
        prices=tuple(_rule(reading, item) for item in _items(fields.take("prices"))),
        peerings=tuple(_line(reading, item) for item in _items(fields.take("peering"))),
        catalog=reading.plain_text(fields.take("catalog")),
        disk_prices=tuple(_disk_prices(reading, fields.take("disks"))),
        idle_minutes=ProjectConfig().idle_minutes if idle is None else idle,
        log_limit_bytes=LOG_LIMIT_BYTES if log_limit is None else round(log_limit * 10**9),
        stores=read_stores(reading, reading.fields(fields.take("stores"))),
        actions=tuple(_actions(reading, fields.take("actions"))),
    )


def _actions(reading: Reading, node: Node | None) -> Iterator[ActionFolder]:
    for key, value in reading.fields(node).rest():
        name, _, ref = key.key.partition("@")
        segments = name.split("/")
        if is_built_in(key.key):
            message, hint = f"'{name}' is built into skyflow", "remove it; './folder' names an action of the project"
            reading.findings.error("action-name", key.span, message, hint=hint)
        elif (
            len(segments) < _OWNER_AND_REPOSITORY or not all(segments) or name.startswith(".") or key.key.endswith("@")
        ):
            message = f"'{key.key}' names no action of another repository"
            hint = "write 'owner/repository', 'owner/repository@ref' or 'owner/repository/folder@ref'"
            reading.findings.error("action-name", key.span, message, hint=hint)
        yield ActionFolder(name=name, ref=ref, folder=reading.plain_text(value) or "")


def _disk_prices(reading: Reading, node: Node | None) -> Iterator[tuple[str, float]]:
    for cloud, price in reading.fields(node).rest():
        usd = read_quantity(reading, price, parse_money)
        if usd is not None:
            yield cloud.key, usd


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < math.inf:
        raise ValueError(f"'{text}' is not a number of minutes from zero")
    return minutes


def _items(node: Node | None) -> Iterator[Node]:
    return iter(node.items if isinstance(node, SequenceNode) else ())


def _pool(reading: Reading, key: ScalarNode, node: Node, taken: dict[str, str]) -> OwnPool:
    """Read one kind of machines; `taken` are the hosts so far, with the machines that they are among."""
    fields = reading.fields(node)
    kind = reading.plain_text(fields.take("kind")) or "machine"
    common = read_said(reading, reading.fields(fields.take("ssh")))
    hosts = read_hosts(reading, key, fields, kind=kind, common=common, taken=taken)
    place = reading.fields(fields.take("place"))
    power = reading.fields(fields.take("power"))
    idle, full = _rate(reading, power, "idle"), _rate(reading, power, "max")
    if idle is not None and full is not None and idle > full:
        message = f"'{key.key}' draws more when idle ({idle:g} W) than at full load ({full:g} W)"
        reading.findings.error("bad-quantity", key.span, message)
    uplink = _rate(reading, place, "uplink")
    disk = read_quantity(reading, fields.take("disk"), parse_disk)
    return OwnPool(
        name=key.key,
        kind=kind,
        count=_count(reading, key, fields, hosts),
        hosts=hosts,
        slurm=read_slurm(reading, key, fields, kind=kind, common=common),
        slots=read_quantity(reading, fields.take("slots"), parse_count) or 1,
        vcpus=read_quantity(reading, fields.take("cpus"), parse_count) or 1,
        memory_gib=read_quantity(reading, fields.take("memory"), parse_size_gib) or 1.0,
        disk_gib=None if disk is None else disk.minimum,
        accelerators=_accelerators(reading, fields),
        arch=reading.plain_text(fields.take("arch")) or "x86_64",
        capabilities=frozenset(read_list(reading, fields.take("capabilities"))),
        price_usd_per_hour=_money(reading, fields, "price") or 0.0,
        country=reading.plain_text(place.take("country")) or "",
        jurisdictions=read_list(reading, place.take("jurisdictions")),
        idle_watts=idle,
        max_watts=full,
        pue=_rate(reading, place, "pue"),
        gco2_per_kwh=_money(reading, place, "carbon"),
        uplink_gbps=uplink or 0.1,
        egress_usd_per_gb=_money(reading, place, "egress") or 0.0,
    )


def _count(reading: Reading, key: ScalarNode, fields: Fields, hosts: tuple[SshHost, ...]) -> int:
    node = fields.take("count")
    count = read_quantity(reading, node, parse_nodes)
    if node is not None and count is not None and hosts and count != len(hosts):
        message = f"'{key.key}' has a count of {count}, and {len(hosts)} {'host' if len(hosts) == 1 else 'hosts'}"
        reading.findings.error("pool-hosts", node.span, message, hint="remove 'count': the hosts are counted")
    return count or len(hosts) or 1


def _accelerators(reading: Reading, fields: Fields) -> Accelerators | None:
    node = fields.take("accelerators")
    found = read_accelerators(reading, node)
    if isinstance(found, Alternatives) and node is not None:
        message = "a machine has accelerators of one type"
        reading.findings.error(
            "bad-quantity", node.span, message, hint="declare machines with others under another name"
        )
        return None
    return found if isinstance(found, Accelerators) else None


def _rule(reading: Reading, node: Node) -> PriceRule:
    fields = reading.fields(node)
    market = reading.plain_text(fields.take("market"))
    rule = PriceRule(
        provider=reading.plain_text(fields.take("cloud")) or "",
        region=reading.plain_text(fields.take("region")) or "",
        instance_type=reading.plain_text(fields.take("instance-type")) or "",
        market=Market(market) if market else None,
        percent_less=(read_quantity(reading, fields.take("discount"), parse_share) or 0.0) * _PER_CENT,
        usd_per_hour=_money(reading, fields, "price"),
        why=reading.plain_text(fields.take("agreement")) or "",
    )
    if (rule.usd_per_hour is None) == (not rule.percent_less):
        message = "a rule needs either a 'price' or a 'discount'"
        reading.findings.error("price-rule", node.span, message, hint="for example {cloud: aws, discount: 15%}")
    return rule


def _line(reading: Reading, node: Node) -> Peering:
    fields = reading.fields(node)
    between = fields.take("between")
    ends = read_list(reading, between)
    if len(set(ends)) != 2 or len(ends) != 2:  # noqa: PLR2004 -- a line has two ends
        span = between.span if between is not None else node.span
        reading.findings.error("peering-ends", span, "a line is between two different clouds", hint="write [aws, gcp]")
        ends = ("", "")
    return Peering(
        between=(ends[0], ends[1]),
        usd_per_gb=_money(reading, fields, "price") or 0.0,
        gbps=_rate(reading, fields, "gbps"),
    )


def _money(reading: Reading, fields: Fields, key: str) -> float | None:
    return read_quantity(reading, fields.take(key), parse_money)


def _rate(reading: Reading, fields: Fields, key: str) -> float | None:
    return read_quantity(reading, fields.take(key), parse_rate)
