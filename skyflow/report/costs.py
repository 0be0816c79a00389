"""What machines have cost, as text."""

from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from skyflow.model.costs import CostBy, Costs
from skyflow.model.units import format_usd

__all__ = ["costs_text", "render_costs"]

_GRAMS_PER_KG = 1000.0


def render_costs(lines: Mapping[str, Costs], total: Costs, by: CostBy) -> Iterator[RenderableType]:
    """Yield a table of costs, and their sum."""
    if not lines:
        yield Text("No machine was rented.")
        return
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column(by.value, overflow="fold")
    for title in ("machines", "hours", "cost", "CO2e"):
        table.add_column(title, no_wrap=True, justify="right")
    for name, costs in lines.items():
        table.add_row(Text(name), str(costs.machines), f"{costs.hours:.2f}", format_usd(costs.usd), _mass(costs.grams))
    yield table
    yield Text(costs_text(total), "bold")


def costs_text(costs: Costs) -> str:
    """Return a sentence without its full stop: how many machines, what they cost, what they emit."""
    machines = "1 machine" if costs.machines == 1 else f"{costs.machines} machines"
    running = f", {costs.running} of them still there" if costs.running else ""
    grams = "" if costs.grams is None else f", {_mass(costs.grams)} CO2e"
    return f"{machines}{running}: {costs.hours:.2f} hours, {format_usd(costs.usd)}{grams}"


def _mass(grams: float | None) -> str:
    if grams is None:
        return ""
    return f"{grams / _GRAMS_PER_KG:.1f} kg" if grams >= _GRAMS_PER_KG else f"{grams:.1f} g"
