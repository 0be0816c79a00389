"""What machines have cost, as text."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow.model.costs import CostBy, Costs
from skyflow.model.units import format_duration, format_grams, format_usd

__all__ = ["costs_text", "render_costs"]

_SECONDS_PER_HOUR = 3600.0


def render_costs(lines: Mapping[str, Costs], total: Costs, by: CostBy) -> Iterator[RenderableType]:
    """Yield a table of costs, and their sum."""
    if not lines:
        yield Text("No machine was rented.")
        return
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column(by.value, overflow="fold")
    for title in ("machines", "time", "cost", "CO2e"):
        table.add_column(title, no_wrap=True, justify="right")
    for name, costs in lines.items():
        table.add_row(Text(name), str(costs.machines), _time(costs), format_usd(costs.usd), _mass(costs.grams))
    yield table
    yield Text(costs_text(total), "bold")


def costs_text(costs: Costs) -> str:
    """Return a sentence without its full stop: how many machines, what they cost, what they emit."""
    machines = "1 machine" if costs.machines == 1 else f"{costs.machines} machines"
    running = f", {costs.running} of them still there" if costs.running else ""
    grams = "" if costs.grams is None else f", {_mass(costs.grams)} CO2e"
    return f"{machines}{running}: {_time(costs)}, {format_usd(costs.usd)}{grams}"


def _time(costs: Costs) -> str:
    return format_duration(costs.hours * _SECONDS_PER_HOUR)


def _mass(grams: float | None) -> str:
    return "" if grams is None else format_grams(grams)
