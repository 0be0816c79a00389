"""Explanations, comparisons, frontiers and changes of plans, as tables for people; loads rich."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group
from rich.table import Table
from rich.text import Text

from skyflow.model.catalog import Offering
from skyflow.model.objective import Objective
from skyflow.model.pace import Pace
from skyflow.model.placement import Placement, Plan, PlanStatus
from skyflow.model.plan_view import Alternative, Comparison, DataReason, Explanation, LimitCost, PlanDiff
from skyflow.model.planning import SpillReason
from skyflow.model.recovery import Recovery, RecoveryStrategy, Resumption
from skyflow.model.resources import LOCAL, Setup
from skyflow.model.units import format_change, format_duration, format_gb, format_grams, format_usd
from skyflow.report.words import gap_text

__all__ = ["render_comparisons", "render_diff", "render_explanations", "render_frontier"]

_FAINT_SECONDS, _FAINT_USD = 0.5, 0.005
_GB_PER_GIB = 2**30 / 10**9
_SHOWN = 6
"""Alternatives of one job that a person can look at."""
_JUDGED = {
    Objective.COST: "cost",
    Objective.MAKESPAN: "time",
    Objective.CARBON: "carbon",
    Objective.WEIGHTED: "weighted cost",
}
_WITH_CARBON = (Objective.CARBON, Objective.WEIGHTED)
_PLURALS = ("slots", "machines")
_WORDS = {"usd": "budget", "grams": "carbon cap", "seconds": "deadline"}


def render_explanations(
    explanations: Sequence[Explanation], costs: Sequence[LimitCost], *, has_carbon: bool = False
) -> Group:
    """Return, per job, the choice and the best alternatives, then what the limits cost; with emissions where they count.

    Jobs of one matrix of which the same is to be said are said it of together.
    """
    parts: list[Text | Table] = []
    for _, group in groupby(explanations, key=_said):
        alike = list(group)
        one, recovery = alike[0], alike[0].placement.recovery
        parts += [
            _headline(alike),
            *map(_data_line, one.data),
            *([_recovery(recovery)] if recovery is not None else []),
            *([_alternatives(one, has_carbon=has_carbon)] if one.alternatives else []),
            Text(""),
        ]
    for cost in costs:
        parts.append(_limit(cost, has_carbon=has_carbon))
    return Group(*parts)


def _said(one: Explanation) -> tuple[str, ...]:
    """Return all that is said of a job, without the number of its combination."""
    spec, _, number = one.placement.job.rpartition(".")
    recovery = one.placement.recovery
    return (
        spec if number.isdigit() else one.placement.job,
        _choice(one, runs="runs"),
        *(_data_line(data).plain for data in one.data),
        *([_recovery(recovery).plain] if recovery is not None else []),
        *(text for option in one.alternatives for text in _alternative(option, has_carbon=True)),
    )


def _headline(alike: Sequence[Explanation]) -> Text:
    one, text = alike[0], Text()
    text.append(one.placement.job, style="bold")
    if len(alike) > 1:
        text.append(f" {'and' if len(alike) == 2 else 'to'} ")  # noqa: PLR2004 -- two
        text.append(alike[-1].placement.job, style="bold")
    text.append(_choice(one, runs="runs" if len(alike) == 1 else "run"))
    return text


def _choice(one: Explanation, *, runs: str) -> str:
    where = _name(one.placement.offering)
    text = f" can run only on {where}" if one.candidates == 1 else f" {runs} on {where}, of {one.candidates} candidates"
    if (spilled := one.placement.spilled) is not None:
        seconds = format_duration(spilled.seconds)
        is_full = spilled.reason is SpillReason.POOL_FULL
        text += f", rented: {f'it would wait {seconds}' if is_full else f'the run would be {seconds} late'} otherwise"
    if (setup := one.placement.setup) is not None:
        text += f"; with {_asked(setup)}"
    if one.placement.duration_source:
        text += f"; {format_duration(one.placement.duration_seconds)}, {one.placement.duration_source}"
    return text


def _data_line(one: DataReason) -> Text:
    moved = one.transfer
    text = f"  {format_gb(moved.gigabytes)} from {moved.from_job} ({one.size_source})"
    if moved.seconds or moved.usd:
        text += f": {format_duration(moved.seconds)} ({one.time_source}), {format_usd(moved.usd)}"
    return Text(text)


def _recovery(recovery: Recovery) -> Text:
    """Return what follows when the machine is taken away, and what the other way would come to."""
    wait = f"another one there for up to {format_duration(recovery.wait_seconds)}, and then go elsewhere"
    if (pace := recovery.kept_pace) is not None:
        return _pace(pace)
    text = Text("  if it is taken away: ")
    text.append(
        f"wait for {wait}" if recovery.strategy is RecoveryStrategy.WAIT else "go elsewhere at once", style="bold"
    )
    text.append(", as the workflow says" if recovery.is_asked else "")
    text.append(f"; the rest takes {_until(recovery.wait)} if it waits (there again in time: {recovery.chance:.0%})")
    if recovery.move is not None and recovery.elsewhere is not None:
        text.append(f", or {_until(recovery.move)} elsewhere, on {_name(recovery.elsewhere)}")
    else:
        text.append("; there is no other place")
    return text


def _pace(pace: Pace) -> Text:
    """Return how a job keeps its deadline."""
    text = Text("  if it is taken away: ")
    text.append("another one there while there is time, and else the same on demand", style="bold")
    text.append(
        f", to end within {format_duration(pace.ends_at)}: {format_duration(pace.work_seconds)} of work, and "
        f"{format_duration(pace.overhead_seconds)} to get a machine and begin"
    )
    return text


def _until(end: Resumption) -> str:
    return f"{format_usd(end.usd)} and {format_duration(end.seconds)}"


def _asked(setup: Setup) -> str:
    parts = [
        *([f"a disk of {format_gb(setup.disk_gib * _GB_PER_GIB)}"] if setup.disk_gib is not None else []),
        *([f"ports {', '.join(setup.ports)}"] if setup.ports else []),
        *([f"the image {setup.image}"] if setup.image else []),
    ]
    return " and ".join(parts)


def _alternatives(one: Explanation, *, has_carbon: bool) -> Table:
    table = _table("instead", "cost", "makespan", *(("carbon",) if has_carbon else ()), "")
    best = {alternative.offering.provider: alternative for alternative in reversed(one.alternatives)}
    first_of_each = [alternative for alternative in one.alternatives if alternative in best.values()]
    rest = [alternative for alternative in one.alternatives if alternative not in first_of_each]
    shown = [*first_of_each, *rest][: max(_SHOWN, len(first_of_each))]
    for alternative in sorted(shown, key=lambda option: option.more_value):
        table.add_row(*_alternative(alternative, has_carbon=has_carbon))
    return table


def _alternative(one: Alternative, *, has_carbon: bool) -> Sequence[str]:
    misses = f"misses the {' and the '.join(_WORDS[name] for name in one.misses)}" if one.misses else ""
    changes = _changes(one.more_usd, one.more_seconds, one.more_grams if has_carbon else None)
    return _name(one.offering), *changes, misses


def _changes(usd: float, seconds: float, grams: float | None) -> Sequence[str]:
    """Return differences in cost, makespan and, where they count, emissions; parts of a second are none."""
    carbon = [] if grams is None else [format_change(grams, format_grams)]
    time = 0.0 if abs(seconds) < _FAINT_SECONDS else seconds
    return format_change(usd, format_usd), format_change(time, format_duration), *carbon


def _limit(cost: LimitCost, *, has_carbon: bool) -> Text:
    name = _WORDS.get(cost.name, cost.name)
    if abs(cost.saved_value) < 1e-9:  # noqa: PLR2004 -- rounding
        return Text(f"the {name} {'cost' if name.startswith(_PLURALS) else 'costs'} nothing", style="dim")
    changes = _changes(-cost.saved_usd, -cost.saved_seconds, -cost.saved_grams if has_carbon else None)
    return Text(f"without the {name}: {', '.join(changes)}{' CO2e' if has_carbon else ''}")


def render_frontier(plans: Sequence[Plan]) -> Table:
    """Return one line per plan, the cheapest first."""
    has_carbon = any(plan.carbon_grams is not None for plan in plans)
    table = _table("cost", "makespan", *(("carbon",) if has_carbon else ()), "", right=3)
    for plan in plans:
        carbon = [format_grams(plan.carbon_grams)] if has_carbon and plan.carbon_grams is not None else []
        status = "" if plan.status is PlanStatus.OPTIMAL else f"{gap_text(plan.proof.gap)} to save"
        table.add_row(format_usd(plan.cost.total_usd), format_duration(plan.makespan_seconds), *carbon, status)
    return table


def render_comparisons(comparisons: Sequence[Comparison]) -> Table:
    """Return one line per way to plan, with the difference from the first."""
    first = comparisons[0].plan
    has_carbon = first is not None and (first.objective in _WITH_CARBON or "grams" in first.limits)
    table = _table("", "cost", "makespan", *(("carbon",) if has_carbon else ()), "")
    for one in comparisons:
        if one.plan is None:
            table.add_row(one.name, "", "", *(("",) if has_carbon else ()), "not possible")
            continue
        carbon = [format_grams(one.plan.known_carbon_grams)] if has_carbon else []
        difference = ""
        if first is not None and one.plan is not first and first.value > 0:
            difference = f"{one.plan.value / first.value:.2f} times the {_JUDGED[first.objective]}"
        figures = format_usd(one.plan.cost.total_usd), format_duration(one.plan.makespan_seconds), *carbon
        table.add_row(one.name, *figures, difference)
    return table


def render_diff(found: PlanDiff) -> Group:
    """Return the jobs that run elsewhere, and the difference in the totals."""
    table = _table("job", "was", "is", "cost")
    usd = rest = found.new.cost.total_usd - found.old.cost.total_usd
    for change in found.changes:
        more = _usd(change.new) - _usd(change.old)
        rest -= more
        table.add_row(change.job, _placed(change.old), _placed(change.new), format_change(more, format_usd))
    if (
        found.changes and abs(rest) >= _FAINT_USD
    ):  # of jobs that share a machine no longer, or whose data comes from elsewhere
        table.add_row("all others", "", "", format_change(rest, format_usd))
    seconds = found.new.makespan_seconds - found.old.makespan_seconds
    totals = Text(
        f"cost {format_change(usd, format_usd)}, makespan {format_change(seconds, format_duration)}", style="bold"
    )
    return Group(table if found.changes else Text("every job runs where it did"), totals)


def _usd(placement: Placement | None) -> float:
    return placement.compute_usd + placement.transfer_usd if placement else 0.0


def _placed(placement: Placement | None) -> str:
    return _name(placement.offering) if placement else "-"


def _name(offering: Offering) -> str:
    if offering.provider == LOCAL:
        return "this machine"
    spot = f" {offering.market_note}" if offering.market_note else ""
    where = "" if offering.instance_type == offering.place.name else f" {offering.place.name}"  # as of a pool
    return f"{offering.provider} {offering.instance_type}{where}{spot}"


def _table(*columns: str, right: int = 0) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for position, column in enumerate(columns):
        is_figure = column in {"cost", "makespan", "carbon"} or position < right
        table.add_column(column, justify="right" if is_figure else "left", overflow="fold")
    return table
