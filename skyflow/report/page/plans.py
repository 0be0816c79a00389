"""The plan explorer: one plan, how it differs from the one before, and what else is possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from skyflow.model.objective import Goal, Objective
from skyflow.model.placement import Placement, Plan, PlanStatus
from skyflow.model.plan_view import Explored, PlanDiff, Weights
from skyflow.model.units import format_change, format_duration, format_grams, format_usd
from skyflow.report.frontier_svg import frontier_svg
from skyflow.report.graph_words import place_text
from skyflow.report.page.live import rendered
from skyflow.report.words import gap_text

__all__ = ["GoOn", "goal_yaml", "render_plan_page", "render_plans_page"]

_MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class _Row:
    """One job: where and when it runs, and where it ran before if that is another place."""

    job: str
    machine: str
    was: str
    left: str
    width: str
    time: str
    cost: str
    carbon: str


def render_plans_page(files: Sequence[str], *, root: str) -> str:
    """Return the page that lists the workflow files that can be planned."""
    return rendered("plans.html", place="/plan", files=files, root=root)


@dataclass(frozen=True, slots=True)
class GoOn:
    """How a run can go on by a plan: the weights that were asked for, if any, and what the button sends.

    A run that is driven is interrupted first.
    """

    weights: Weights | None
    is_driven: bool
    write_token: str


def render_plan_page(explored: Explored, subject: tuple[str, str], go_on: GoOn | None = None) -> str:
    """Return the page of a plan.

    Args:
        explored: the plan.
        subject: the field of its form that says of what, and its value.
        go_on: for the plan of a run.
    """
    plan = explored.diff.new
    weights = {"cost": explored.weights.cost, "time": explored.weights.time, "carbon": explored.weights.carbon}
    return rendered(
        "plan.html",
        place="/plan",
        scripts=["explore.js"],
        explored=explored,
        title=explored.title,
        subject=subject,
        go_on=go_on,
        plan=plan,
        tiles=_tiles(explored.diff),
        rows=_rows(explored.diff)[:_MOST_ROWS],
        more=max(0, len(plan.placements) - _MOST_ROWS),
        yaml=goal_yaml(explored.goal),
        proof=_proof(plan),
        frontier=_picture(explored),
        later="/plan?" + urlencode({subject[0]: subject[1], **weights, "frontier": "yes"}),
    )


def goal_yaml(goal: Goal) -> str:
    """Return what a workflow has to say to be planned for a goal."""
    if goal.objective is not Objective.WEIGHTED:
        return f"plan: {{objective: {goal.objective}}}"
    per_tonne, per_hour = goal.grams * 1e6, goal.seconds * 3600
    return f"plan: {{objective: {{cost: {goal.usd:g}, carbon: {_plain(per_tonne)} USD/t, time: {_plain(per_hour)} USD/h}}}}"


def _plain(value: float) -> str:
    """Return a number without an exponent, which prices in workflows cannot have."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _tiles(diff: PlanDiff) -> list[tuple[str, str, str]]:
    old, new = diff.old, diff.new

    def compared(change: str) -> str:
        return "as before" if change == "same" else change

    return [
        (
            "Cost",
            format_usd(new.cost.total_usd),
            compared(format_change(new.cost.total_usd - old.cost.total_usd, format_usd)),
        ),
        (
            "Makespan",
            format_duration(new.makespan_seconds),
            compared(format_change(new.makespan_seconds - old.makespan_seconds, format_duration)),
        ),
        (
            "CO2e",
            format_grams(new.known_carbon_grams),
            compared(format_change(new.known_carbon_grams - old.known_carbon_grams, format_grams)),
        ),
        ("Jobs elsewhere", str(len(diff.changes)), f"of {len(new.placements)}"),
    ]


def _rows(diff: PlanDiff) -> list[_Row]:
    was = {change.job: "" if change.old is None else place_text(change.old) for change in diff.changes}
    whole = diff.new.makespan_seconds or 1.0
    return [_row(placement, was.get(placement.job, ""), whole) for placement in diff.new.placements]


def _row(placement: Placement, was: str, whole: float) -> _Row:
    accelerators = placement.offering.accelerators
    assumed = "~" if placement.is_duration_assumed else ""
    return _Row(
        job=placement.job,
        machine=place_text(placement) + (f", {accelerators}" if accelerators else ""),
        was=was,
        left=f"{100 * placement.start_seconds / whole:.2f}",
        width=f"{100 * placement.duration_seconds / whole:.2f}",
        time=assumed + format_duration(placement.duration_seconds),
        cost=format_usd(placement.compute_usd + placement.transfer_usd),
        carbon="?" if placement.carbon_grams is None else format_grams(placement.carbon_grams),
    )


def _proof(plan: Plan) -> str:
    if plan.status is PlanStatus.OPTIMAL:
        return "Proven: no plan is better for this"
    return f"A better plan could save {gap_text(plan.proof.gap)} of this"


def _picture(explored: Explored) -> Markup | None:
    if not explored.frontier:
        return None
    return Markup(frontier_svg(explored.frontier, chosen=explored.diff.new, is_part=True))  # noqa: S704 -- it escapes
