"""A workflow as it is rehearsed: all of its jobs on this machine, whatever they ask for."""

from collections.abc import Mapping
from dataclasses import replace

from skyflow.model.planning import PlanSpec
from skyflow.model.resources import LOCAL, Requirements
from skyflow.model.workflow import Workflow

__all__ = ["rehearsed"]


def rehearsed(workflow: Workflow, callees: Mapping[str, Workflow]) -> tuple[Workflow, Mapping[str, Workflow]]:
    """Return a workflow and those it calls, in which every job runs here, and nothing limits where or what it may cost.

    Only what the planner reads is another; the run keeps the text of the file, and can be resumed from it.
    """
    return _here(workflow), {uses: _here(callee) for uses, callee in callees.items()}


def _here(workflow: Workflow) -> Workflow:
    here = Requirements(providers=frozenset({LOCAL}))
    jobs = tuple(replace(job, requirements=here, data_places=()) for job in workflow.jobs)
    return replace(workflow, jobs=jobs, plan=PlanSpec(goal=workflow.plan.goal))
