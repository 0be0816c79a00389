"""Decides where and when every job runs: a `PlacementProblem` in, a verified `Plan` out.

Importing this package is cheap: the solver is loaded only by a problem that needs one.
"""

from skyflow.planner.build import DEFAULT_ESTIMATE_SECONDS, PlanningJob
from skyflow.planner.plan import plan_jobs

__all__ = ["DEFAULT_ESTIMATE_SECONDS", "PlanningJob", "plan_jobs"]
