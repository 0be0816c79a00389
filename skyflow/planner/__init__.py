"""Decides where and when every job runs: a `PlacementProblem` in, a verified `Plan` out.

Importing this package is cheap: numpy is loaded only by a problem that leaves something to choose, a solver only by one
that the bounds do not settle.
"""

from skyflow.planner.estimates import DEFAULT_ESTIMATE_SECONDS, Knowledge
from skyflow.planner.jobs import OutsideData, PlanningJob, Pool
from skyflow.planner.plan import plan_jobs
from skyflow.planner.problem import Limits

__all__ = ["DEFAULT_ESTIMATE_SECONDS", "Knowledge", "Limits", "OutsideData", "PlanningJob", "Pool", "plan_jobs"]
