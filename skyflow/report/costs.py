"""What machines have cost, as text."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow.model.costs import CostBy, Costs
from skyflow.model.placement import Plan
from skyflow.model.units import format_duration, format_gb, format_grams, format_usd

__all__ = ["data_text", "machines_text", "render_costs"]

_SECONDS_PER_HOUR = 3600.0


def render_costs(lines: Mapping[str, Costs], total: Costs, by: CostBy) -> Iterator[RenderableType]:
    """Yield a table of costs, and their sum."""
    if not lines:
        yield Text("No machine was rented, and no data left its place.")
        return
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column(by.value, overflow="fold")
    for title in ("machines", "time", "cost", *(("data", "cost of data") if total.data_gb else ()), "CO2e"):
        table.add_column(title, no_wrap=True, justify="right")
    for name, costs in lines.items():
        data = (format_gb(costs.data_gb), _data_usd(costs)) if costs.data_gb else ("", "")
        machines = (str(costs.machines), _time(costs), format_usd(costs.usd)) if costs.machines else ("", "", "")
        grams = _mass(costs.grams) if costs.machines else ""
        table.add_row(Text(name), *machines, *(data if total.data_gb else ()), grams)
    yield table
    texts = (machines_text(total) if total.machines else "", data_text(total) if total.data_gb else "")
    yield Text("; ".join(text for text in texts if text), "bold")


def machines_text(costs: Costs) -> str:
    """Return a sentence without its full stop: how many machines, what they cost and emit."""
    machines = "1 machine" if costs.machines == 1 else f"{costs.machines} machines"
    running = f", {costs.running} of them still there" if costs.running else ""
    grams = "" if costs.grams is None else f", {_mass(costs.grams)} CO2e"
    return f"{machines}{running}: {_time(costs)}, {format_usd(costs.usd)}{grams}"


def data_text(costs: Costs, plan: Plan | None = None) -> str:
    """Return how much data has left its place and what that cost, beside what a plan expected of it."""
    text = f"{format_gb(costs.data_gb)} of data between places: {_data_usd(costs)}"
    if plan is None:
        return text
    placed = {placement.job: placement.offering.place for placement in plan.placements}
    expected = sum(
        transfer.gigabytes
        for placement in plan.placements
        for transfer in placement.inputs
        if placed.get(transfer.from_job) != placement.offering.place
    )
    return f"{text} (planned {format_gb(expected)}, {format_usd(plan.cost.transfer_usd)})"


def _data_usd(costs: Costs) -> str:
    if costs.is_data_known:
        return format_usd(costs.data_usd)
    return f"{format_usd(costs.data_usd)} + ?" if costs.data_usd else "?"


def _time(costs: Costs) -> str:
    return format_duration(costs.hours * _SECONDS_PER_HOUR)


def _mass(grams: float | None) -> str:
    return "" if grams is None else format_grams(grams)
