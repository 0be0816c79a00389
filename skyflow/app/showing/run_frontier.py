"""Plans that a run could have had as well: none beats another in cost, makespan and carbon at once."""

from skyflow.app.planning.callees import callees_from
from skyflow.app.planning.plan import PlanOptions, prepare_planning
from skyflow.app.planning.plan_views import frontier
from skyflow.app.project import Project
from skyflow.errors import PlanningError
from skyflow.model.placement import Plan
from skyflow.model.resources import LOCAL
from skyflow.model.run import RunRecord
from skyflow.spec import reread_workflow

__all__ = ["frontier_of_run", "is_quickly_found"]

_POINTS = 6
_SECONDS_PER_PLAN = 1.0
_MOST_JOBS = 100
"""A report of more jobs than this is made without a frontier, unless it is asked for: nobody wants to wait for it."""


def is_quickly_found(plan: Plan | None) -> bool:
    """Tell whether there was a choice that a frontier can show, and one that takes no more than a few seconds to find."""
    if plan is None or len(plan.placements) > _MOST_JOBS:
        return False
    return any(placement.offering.provider != LOCAL for placement in plan.placements)


def frontier_of_run(run: RunRecord, *, project: Project) -> tuple[Plan, ...]:
    """Return the plans, the cheapest first, with the prices that are known now; none where the run cannot be planned any more.

    Raises:
        UsageError: the catalog or the configuration names what does not exist.
    """
    workflow = reread_workflow(run.workflow_path, run.workflow_source)
    options = PlanOptions(slots=run.slots, counts_carbon=True, time_limit_seconds=_SECONDS_PER_PLAN)
    try:
        planning = prepare_planning(
            workflow, callees=callees_from(workflow, run.callee_sources), options=options, project=project
        )
        return tuple(frontier(planning, points=_POINTS))
    except PlanningError:  # the machines or prices of then are not those of now
        return ()
