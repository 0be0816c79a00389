"""The frontier of cost against makespan as a picture."""

from collections.abc import Sequence

from skyflow.model.placement import Plan
from skyflow.model.units import format_duration, format_grams, format_usd
from skyflow.report.scatter import Axis, Mark, scatter_svg

__all__ = ["frontier_svg"]


def frontier_svg(plans: Sequence[Plan], *, chosen: Plan | None = None, is_part: bool = False) -> str:
    """Return a picture of plans that none beats: dollars upwards, time to the right; it may be `is_part` of a page.

    The line joins those that are best in these two; others are there for their carbon. `chosen` is marked, whether it is one
    of them or not.
    """
    shown = [*plans, *([chosen] if chosen is not None and chosen not in plans else [])]
    marks = [
        Mark(
            x=plan.makespan_seconds,
            y=plan.cost.total_usd,
            title=", ".join(_figures(plan)),
            label="this plan" if plan == chosen else "",
            is_chosen=plan == chosen,
        )
        for plan in shown
    ]
    return scatter_svg(
        marks,
        across=Axis(name="makespan", show=format_duration, unit=_unit(max(plan.makespan_seconds for plan in shown))),
        up=Axis(name="cost", show=format_usd),
        title=f"Cost against makespan of {len(plans)} plans that none beats in cost, makespan and carbon at once",
        path=_staircase(plans),
        is_part=is_part,
    )


def _unit(seconds: float) -> float:
    """Return what a person counts so long a time in."""
    return next((unit for unit in (3600.0, 60.0) if seconds >= 2 * unit), 1.0)


def _figures(plan: Plan) -> list[str]:
    carbon = [] if plan.carbon_grams is None else [f"{format_grams(plan.carbon_grams)} CO2e"]
    return [format_usd(plan.cost.total_usd), format_duration(plan.makespan_seconds), *carbon]


def _staircase(plans: Sequence[Plan]) -> list[tuple[float, float]]:
    """Return those plans that none beats in cost and makespan, the fastest first."""
    best: list[tuple[float, float]] = []
    for time, usd in sorted((plan.makespan_seconds, plan.cost.total_usd) for plan in plans):
        if not best or usd < best[-1][1]:
            best.append((time, usd))
    return best
