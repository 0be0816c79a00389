"""The plans that a run has had: when one took the place of another, why, and which jobs run elsewhere since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.placement import Placement, Plan
from skyflow.model.plan_view import Change
from skyflow.report.graph_words import place_text
from skyflow.report.page.data import Replacement

__all__ = ["PlanView", "plan_views"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """One plan of a run: `at` and `why` it took the place of the one before, None and empty for the first.

    `moves` are jobs that run elsewhere than in the plan before, with where they were and are to run.
    """

    at: datetime | None
    why: str
    usd: float
    seconds: float
    grams: float
    moves: tuple[tuple[str, str, str], ...]


def plan_views(replacements: Sequence[Replacement]) -> tuple[PlanView, ...]:
    """Return the plans of a run, first to last; none where there was only one."""
    if not replacements:
        return ()
    first = _view(replacements[0].diff.old)
    return (first, *(_view(one.diff.new, at=one.at, why=one.why, changes=one.diff.changes) for one in replacements))


def _view(plan: Plan, *, at: datetime | None = None, why: str = "", changes: Sequence[Change] = ()) -> PlanView:
    return PlanView(
        at=at,
        why=why,
        usd=plan.cost.total_usd,
        seconds=plan.makespan_seconds,
        grams=plan.known_carbon_grams,
        moves=tuple((change.job, _where(change.old), _where(change.new)) for change in changes),
    )


def _where(placement: Placement | None) -> str:
    return "" if placement is None else place_text(placement)
