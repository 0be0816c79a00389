"""What `skyflow instances` and `skyflow gc` show."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow.model.machines import Instance, Leftover, Machine
from skyflow.model.resources import Market
from skyflow.model.units import format_duration, format_usd
from skyflow.report.kept import staying_text

__all__ = ["instance_to_json", "render_instances", "subject_text", "thing_to_json"]


def render_instances(instances: Sequence[Instance], now: datetime) -> Iterator[RenderableType]:
    """Yield a table of machines, each with its price by the hour and what it has cost, and the sums."""
    if not instances:
        yield Text("No machine of ours exists.")
        return
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column("machine", overflow="fold")
    table.add_column("state", no_wrap=True)
    for title in ("age", "per hour", "cost"):
        table.add_column(title, no_wrap=True, justify="right")
    for each in instances:
        machine, price, cost = each.machine, each.usd_per_hour, each.cost_usd
        age = None if machine.created_at is None else max(0.0, (now - machine.created_at).total_seconds())
        spot = " spot" if machine.market is Market.SPOT else ""
        table.add_row(
            Text.assemble(
                f"{machine.provider} {machine.zone or machine.region}, {machine.instance_type}{spot}",
                (f"\n  {machine.console_id}\n  {machine.job} of run {machine.run}", "bright_black"),
            ),
            machine.state.value if each.record is None or each.kept_until is None else staying_text(each.record, now),
            "" if age is None else format_duration(age),
            "?" if price is None else format_usd(price),
            "?" if cost is None else format_usd(cost),
        )
    yield table
    per_hour = sum(each.usd_per_hour or 0.0 for each in instances)
    cost = sum(each.cost_usd or 0.0 for each in instances)
    count = f"{len(instances)} machine{'s' if len(instances) > 1 else ''}"
    yield Text(f"{count}: {format_usd(per_hour)} per hour, {format_usd(cost)} so far", "bold")


def subject_text(subject: Machine | Leftover) -> str:
    """Return how a machine or a leftover is called in a sentence."""
    kind = f"machine {subject.instance_type}" if isinstance(subject, Machine) else subject.kind
    return f"{subject.provider} {subject.zone or subject.region}: {kind} {subject.console_id}"


def instance_to_json(instance: Instance) -> Mapping[str, object]:
    """Return a machine for programs."""
    machine, kept_until = instance.machine, instance.kept_until
    return {
        **thing_to_json(machine),
        "run": machine.run,
        "job": machine.job,
        "attempt": machine.attempt,
        "state": machine.state.value,
        "instance_type": machine.instance_type,
        "market": machine.market.value,
        "address": machine.address,
        "usd_per_hour": instance.usd_per_hour,
        "cost_usd": instance.cost_usd,
        "kept_until": kept_until.isoformat() if kept_until else None,
    }


def thing_to_json(subject: Machine | Leftover) -> dict[str, object]:
    """Return what machines and leftovers have in common."""
    return {
        "provider": subject.provider,
        "region": subject.region,
        "zone": subject.zone or None,
        "kind": "machine" if isinstance(subject, Machine) else subject.kind,
        "id": subject.id,
        "name": subject.name,
        "owner": subject.owner,
        "created_at": subject.created_at.isoformat() if subject.created_at else None,
    }
