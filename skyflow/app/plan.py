"""Plans a workflow: from its jobs and the catalog to a decision for each job."""

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.expansion import expected_jobs
from skyflow.catalog import load_catalog, select_candidates
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.catalog import Offering
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan
from skyflow.model.resources import PROVIDERS, Requirements
from skyflow.model.workflow import JobSpec, Workflow
from skyflow.planner import PlanningJob, plan_jobs
from skyflow.planner.solve import Solver
from skyflow.provisioners.local import this_machine

__all__ = ["default_slots", "plan_workflow"]


def default_slots() -> int:
    """Return how many jobs this machine runs at once unless told otherwise: one for each CPU we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def plan_workflow(
    workflow: Workflow,
    *,
    callees: Mapping[str, Workflow] = MappingProxyType({}),
    objective: Objective | None = None,
    providers: Collection[str] | None = None,
    slots: int | None = None,
    time_limit_seconds: float = 10.0,
    solver: Solver = "cbc",
) -> Plan:
    """Decide where and when every job runs.

    A matrix that depends on the results of other jobs is planned as a single job; the plan's notes say so.

    Args:
        workflow: what to plan.
        callees: the workflows it may call, by what `uses` says.
        objective: what to make small; by default the workflow's own `plan.objective`, else cost.
        providers: use only these (`local`, `aws`, `gcp`, `azure`).
        slots: how many jobs this machine runs at once; by default one for each CPU.
        time_limit_seconds: after how long the best plan so far is taken.
        solver: who decides what the bounds leave open.

    Raises:
        UsageError: a provider is not known.
        NoCandidateError: nothing in the catalog satisfies a job's requirements.
        CatalogError: a catalog file cannot be read.
    """
    for unknown in sorted(set(providers or ()) - set(PROVIDERS)):
        raise UsageError(f"there is no provider '{unknown}'", hint=did_you_mean(unknown, PROVIDERS))
    expected = expected_jobs(workflow, callees)
    catalog = load_catalog().joined_by(this_machine())
    candidates: dict[Requirements, tuple[Offering, ...]] = {}  # many jobs ask for the same
    for each in expected:
        asked = _allowed(each.spec, providers)
        if asked not in candidates:
            candidates[asked] = select_candidates(catalog, asked, job=each.spec.id)
    jobs = [
        PlanningJob(
            key=key,
            candidates=candidates[_allowed(each.spec, providers)],
            needs=each.needs,
            estimate=each.spec.estimate,
            data_gb=each.data_gb,
        )
        for each in expected
        for key in each.keys
    ]
    offerings = {offering.id: offering for found in candidates.values() for offering in found}
    plan = plan_jobs(
        jobs,
        transfers=catalog.transfer_rates(offerings.values()),
        objective=objective or workflow.objective or Objective.COST,
        local_slots=slots or default_slots(),
        clock=SystemClock().monotonic,
        time_limit_seconds=time_limit_seconds,
        solver=solver,
    )
    notes = [
        f"the matrix of '{each.spec.id}' is known only when its needs have ended; planned as one job"
        for each in expected
        if each.is_dynamic
    ]
    return replace(plan, notes=(*plan.notes, *notes))


def _allowed(spec: JobSpec, providers: Collection[str] | None) -> Requirements:
    if not providers:
        return spec.requirements
    asked = spec.requirements.providers
    both = frozenset(providers) if asked is None else asked & frozenset(providers)
    if not both:
        raise NoCandidateError(
            f"job '{spec.id}' runs on {', '.join(sorted(asked or ()))} only, which --on {', '.join(providers)} rules out",
            hint="change its runs-on, or leave --on away",
        )
    return replace(spec.requirements, providers=both)
