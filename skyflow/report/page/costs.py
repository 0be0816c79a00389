"""What a run was planned to cost and what came of it, by provider and region."""

from collections.abc import Mapping
from dataclasses import dataclass

from skyflow.model.placement import Placement, Plan
from skyflow.model.run import RunHistory

__all__ = ["CostRow", "costs_by_place"]

_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The jobs of one place. `actual_usd` is the price of their machines for the time that attempts really took."""

    provider: str
    region: str
    jobs: int
    planned_usd: float
    actual_usd: float
    transfer_usd: float


def costs_by_place(plan: Plan | None, history: RunHistory, placed: Mapping[str, Placement]) -> tuple[CostRow, ...]:
    """Return one row per provider and region, the dearest first; none where no job has a price.

    Args:
        plan: the plan of the run.
        history: the run.
        placed: the placement of each job of the run, by its key.
    """
    if plan is None or not any(one.offering.price_usd_per_hour or one.transfer_usd for one in plan.placements):
        return ()
    spent: dict[tuple[str, str], float] = {}
    for attempt in history.attempts:
        placement = placed.get(attempt.job_key)
        if placement is not None and attempt.completed_at is not None:
            place = (placement.offering.provider, placement.offering.region)
            hours = (attempt.completed_at - attempt.started_at).total_seconds() / _SECONDS_PER_HOUR
            spent[place] = spent.get(place, 0.0) + hours * placement.offering.price_usd_per_hour
    planned: dict[tuple[str, str], list[Placement]] = {}
    for placement in plan.placements:
        planned.setdefault((placement.offering.provider, placement.offering.region), []).append(placement)
    rows = [
        CostRow(
            provider=provider,
            region=region,
            jobs=len(found),
            planned_usd=sum(one.compute_usd for one in found),
            actual_usd=spent.get((provider, region), 0.0),
            transfer_usd=sum(one.transfer_usd for one in found),
        )
        for (provider, region), found in planned.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.planned_usd - row.transfer_usd, row.provider, row.region)))
