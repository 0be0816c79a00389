"""The plans of a run: the one that it has, those before it, and which of them a job was begun by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from skyflow.app.planning.plan_views import diff_plans
from skyflow.app.showing.graph import placements_of_run, plan_of_run
from skyflow.model.history import RunHistory
from skyflow.model.placement import Placement, Plan, read_plan
from skyflow.report.page.data import Replacement

__all__ = ["RunPlans", "plans_of_run"]


@dataclass(frozen=True, slots=True)
class RunPlans:
    """The plan that a run has, and how it came to have it."""

    current: Plan | None
    replacements: tuple[Replacement, ...]

    def placements(self, history: RunHistory) -> dict[str, Placement]:
        """Return where each job was planned when it began, or is now: a plan that came later has nothing to say of it."""
        placed = placements_of_run(history, self.current)
        if self.replacements:
            first = placements_of_run(history, self.replacements[0].diff.old)
            later = [(one.at, placements_of_run(history, one.diff.new)) for one in self.replacements]
            for job in history.jobs:
                if job.started_at is not None:
                    valid = [first, *(plan for at, plan in later if at <= job.started_at)][-1]
                    placed |= {job.key: valid[job.key]} if job.key in valid else {}
        return placed

    def starts(self, history: RunHistory, placed: Mapping[str, Placement]) -> dict[str, datetime]:
        """Return when each job was planned to begin; a plan counts from when it was made."""
        run = history.overview.run
        made_at = [one.at for one in self.replacements]
        began_at = {job.key: job.started_at for job in history.jobs}
        starts = {}
        for key, placement in placed.items():
            began = began_at.get(key)
            earlier = [at for at in made_at if began is None or at <= began]
            since = earlier[-1] if earlier else run.started_at or run.created_at
            starts[key] = since + timedelta(seconds=placement.start_seconds)
        return starts


def plans_of_run(history: RunHistory) -> RunPlans:
    """Return the plans of a run; earlier ones only if all of them can be read."""
    current = plan_of_run(history)
    stored = [*(read_plan(earlier.plan) for earlier in history.superseded), current]
    plans = [plan for plan in stored if plan is not None]
    if len(plans) < len(stored):
        return RunPlans(current, ())
    return RunPlans(
        current,
        tuple(
            Replacement(earlier.at, earlier.why, diff_plans(old, new))
            for earlier, (old, new) in zip(history.superseded, pairwise(plans), strict=True)
        ),
    )
