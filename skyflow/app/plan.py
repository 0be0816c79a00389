"""Plans a workflow: from its jobs and the catalog to a decision for each job."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from skyflow._util.text import did_you_mean
from skyflow.app.catalog_folder import catalog_folder
from skyflow.app.clock import SystemClock
from skyflow.app.container_engine import engine_for
from skyflow.app.expansion import ExpectedJobs, expected_jobs
from skyflow.catalog import Catalog, load_catalog, select_candidates
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.catalog import Offering
from skyflow.model.config import ProjectConfig
from skyflow.model.objective import Objective
from skyflow.model.placement import Plan
from skyflow.model.resources import LOCAL, PROVIDERS, Estimate, Requirements
from skyflow.model.workflow import JobSpec, Workflow
from skyflow.planner import PlanningJob, plan_jobs
from skyflow.planner.build import estimated_seconds
from skyflow.provisioners.local import this_machine

__all__ = ["default_slots", "plan_workflow"]

_Question = tuple[Requirements, Estimate | None]


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
    config: ProjectConfig | None = None,
) -> Plan:
    """Decide where and when every job runs.

    A matrix that depends on the results of other jobs is planned as a single job; the plan's notes say so.

    Args:
        workflow: what to plan.
        callees: the workflows it may call, by what `uses` says.
        objective: what to make small; by default the workflow's own `plan.objective`, else cost.
        providers: use only these (`local`, `own`, `aws`, `gcp`, `azure`).
        slots: how many jobs this machine runs at once; by default one for each CPU.
        config: the project's own machines and prices; by default it has none.

    Raises:
        UsageError: a provider is not known.
        ProvisionError: a job is to run on this machine in a container, and there is no container engine.
        NoCandidateError: nothing in the catalog satisfies a job's requirements.
        CatalogError: a catalog file cannot be read.
    """
    for unknown in sorted(set(providers or ()) - set(PROVIDERS)):
        raise UsageError(f"there is no provider '{unknown}'", hint=did_you_mean(unknown, PROVIDERS))
    expected = expected_jobs(workflow, callees)
    catalog = load_catalog(catalog_folder(config), config).joined_by(this_machine())
    candidates: dict[_Question, tuple[Offering, ...]] = {}  # many jobs ask for the same
    for each in expected:
        question = _question(each.spec, providers)
        if question not in candidates:
            candidates[question] = select_candidates(
                catalog, question[0], job=each.spec.id, seconds=_seconds(question[1])
            )
    jobs = [
        PlanningJob(
            key=key,
            candidates=candidates[_question(each.spec, providers)],
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
    )
    here = {placement.job for placement in plan.placements if placement.offering.provider == LOCAL}
    engine_for(each.spec for each in expected if here.intersection(each.keys))
    return replace(plan, notes=(*plan.notes, *_notes(expected, catalog)))


def _notes(expected: Iterable[ExpectedJobs], catalog: Catalog) -> Iterator[str]:
    for each in expected:
        if each.is_dynamic:
            yield f"the matrix of '{each.spec.id}' is known only when its needs have ended; planned as one job"
    if catalog.is_open and catalog.faults:
        rows = len(catalog.faults)
        what = "row of the catalog is" if rows == 1 else "rows of the catalog are"
        yield f"{rows:,} {what} wrong and left out; `skyflow catalog doctor` says why"


def _question(spec: JobSpec, providers: Collection[str] | None) -> _Question:
    """Return what a job asks for, and how long it takes where that depends on the machine."""
    return _allowed(spec, providers), spec.estimate if spec.estimate and spec.estimate.on else None


def _seconds(estimate: Estimate | None) -> Callable[[Offering], float] | None:
    return None if estimate is None else partial(estimated_seconds, estimate)


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
