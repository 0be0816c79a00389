"""A plan as a table for people; whoever shows one imports this module then, for it loads rich."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from skyflow.model.objective import Objective
from skyflow.model.placement import Placement, Plan, PlanStatus
from skyflow.model.resources import LOCAL
from skyflow.model.units import format_duration, format_gb, format_grams, format_usd
from skyflow.report.words import gap_text

__all__ = ["PlanTable", "render_plan"]

_WIDE = 90
"""From this many columns on, the place has a column of its own."""
_NARROW = 72
"""Below this many columns, the data that moves is left to the totals."""


def render_plan(plan: Plan) -> "PlanTable":
    """Return a rich renderable: one line per job, then the totals, the dates of the prices and the notes."""
    return PlanTable(plan)


@dataclass(frozen=True, slots=True)
class PlanTable:
    """A plan that fits itself into whatever width it is given."""

    plan: Plan

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        placements = self.plan.placements
        is_wide = options.max_width >= _WIDE and any(one.offering.provider != LOCAL for one in placements)
        has_transfers = options.max_width >= _NARROW and any(one.transfer_gb for one in placements)
        yield Group(
            _table(placements, is_wide=is_wide, has_transfers=has_transfers),
            Text(""),
            _totals(self.plan),
            *(Text(line, style="dim") for line in _small_print(self.plan)),
        )


def _table(placements: Sequence[Placement], *, is_wide: bool, has_transfers: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("job", overflow="fold")
    table.add_column("machine", overflow="fold")
    if is_wide:
        table.add_column("where", overflow="fold")
    for column in ("start", "time", "cost"):
        table.add_column(column, justify="right", no_wrap=True)
    if has_transfers:
        table.add_column("data in", justify="right")
    uses = Counter(placement.machine for placement in placements if placement.machine)
    for placement in placements:
        machine, where = _machine(placement), _where(placement)
        if uses[placement.machine] > 1:
            machine.append(f" ({placement.machine})", style="dim")
        cells: list[Text | str] = [
            placement.job,
            *((machine, where) if is_wide else (Text(" ").join(part for part in (machine, where) if part),)),
            f"+{format_duration(placement.start_seconds)}" if placement.start_seconds else "0s",
            ("~" if placement.is_duration_assumed else "") + format_duration(placement.duration_seconds),
            ("~" if placement.offering.is_estimated else "") + format_usd(placement.compute_usd),
        ]
        if has_transfers:
            cells.append(_data_in(placement))
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
    return table


def _machine(placement: Placement) -> Text:
    offering = placement.offering
    if offering.provider == LOCAL:
        return Text("this machine")
    several = f"{offering.nodes} x " if offering.nodes > 1 else ""
    text = Text(f"{several}{offering.provider} {offering.instance_type}")
    if offering.accelerators:
        text.append(f" {offering.accelerators}", style="cyan")
    return text


def _where(placement: Placement) -> Text:
    offering = placement.offering
    if offering.provider == LOCAL:
        return Text("")
    text = Text(offering.place.name)
    if offering.market_note:
        text.append(f" {offering.market_note}", style="magenta")
    return text


def _data_in(placement: Placement) -> str:
    if not placement.transfer_gb:
        return ""
    return f"{format_gb(placement.transfer_gb)} {format_usd(placement.transfer_usd)}"


def _totals(plan: Plan) -> Text:
    cost = plan.cost
    text = Text()
    text.append(f"cost {format_usd(cost.total_usd)}", style="bold")
    if cost.transfer_usd:
        text.append(f" ({format_usd(cost.compute_usd)} machines + {format_usd(cost.transfer_usd)} data)")
    text.append(", ")
    text.append(f"makespan {format_duration(plan.makespan_seconds)}", style="bold")
    if plan.carbon_grams:
        text.append(f", {format_grams(plan.carbon_grams)} CO2e")
    text.append("; ")
    judged = "weighted cost" if plan.objective is Objective.WEIGHTED else plan.objective
    if plan.status is PlanStatus.OPTIMAL:
        text.append(f"{plan.status} for {judged}", style="green")
    else:
        text.append(f"{plan.status}, {gap_text(plan.proof.gap)} of the {judged} to save", style="yellow")
    return text


def _small_print(plan: Plan) -> list[str]:
    lines = []
    if plan.waiting is not None and plan.begins_at is not None:
        held = sum(bool(placement.not_before_seconds) for placement in plan.placements)
        jobs = "1 job waits" if held == 1 else f"{held} jobs wait"
        lines.append(
            f"{jobs} for cleaner power: {format_grams(plan.waiting.saved_grams)} CO2e less, and the run ends "
            f"{format_duration(plan.waiting.later_seconds)} later, than with the same machines at once"
        )
    if plan.begins_at is not None:
        lines.append(f"hours count from {plan.begins_at:%Y-%m-%d %H:%M} UTC")
    if days := plan.price_dates:
        since = f"{days[0]} to {days[-1]}" if days[0] != days[-1] else f"{days[0]}"
        lines.append(f"prices of {since}")
    machines = [placement.machine for placement in plan.placements if placement.machine]
    if shared := sorted({machine for machine in machines if machines.count(machine) > 1}, key=machines.index):
        marks = f"({shared[0]})" if len(shared) == 1 else f"({shared[0]}), ..."
        lines.append(f"{marks}: jobs with the same mark share a machine, which starts once")
    if any(placement.offering.is_estimated for placement in plan.placements):
        lines.append("~$: no price is published for this; it is skyflow's own estimate")
    return [*lines, *plan.notes]
