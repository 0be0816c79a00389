"""How long the jobs of a workflow took in earlier runs, for `estimate: history`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

from skyflow.app.project import Project
from skyflow.model.catalog import Offering
from skyflow.model.placement import Plan
from skyflow.model.resources import LOCAL
from skyflow.model.run import RunRecord
from skyflow.model.status import Conclusion
from skyflow.model.workflow import Workflow
from skyflow.planner.estimates import Past
from skyflow.store.store import Store, open_store

__all__ = ["PastDurations"]

_RUNS = 50
"""How many runs of the project are looked through, the newest first."""


@dataclass(frozen=True, slots=True)
class PastDurations:
    """By job and kind of machine, the seconds of its earlier runs that succeeded, without the start of the machine."""

    seconds: Mapping[str, Mapping[str, list[float]]] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow, project: Project) -> "PastDurations":
        """Read those of a workflow from the store.

        Raises:
            StoreError: the state store cannot be used.
        """
        name = project.name_of(workflow.path)
        found: dict[str, dict[str, list[float]]] = {}
        with open_store(project.state, create=False) as store:
            for run in store.latest_runs(_RUNS):
                if run.workflow_path == name:
                    _add(found, store, run)
        return cls(found)

    def on(self, job: str, offering: Offering) -> Past | None:
        """Return earlier runs of a job on this kind of machine; where there are none, those on any."""
        seconds = self.seconds.get(job, {})
        here = seconds.get(_kind(offering), [])
        every = here or [one for some in seconds.values() for one in some]
        if not every:
            return None
        low, _, high = quantiles(every, n=4) if len(every) > 1 else (every[0],) * 3
        return Past(
            runs=len(every),
            median_seconds=median(every),
            low_seconds=low,
            high_seconds=high,
            is_of_this_kind=bool(here),
        )


def _kind(offering: Offering) -> str:
    return f"{offering.provider}/{offering.instance_type}"


def _add(found: dict[str, dict[str, list[float]]], store: Store, run: RunRecord) -> None:
    try:
        plan = Plan.from_json(run.plan) if isinstance(run.plan, Mapping) else None
    except ValueError:  # made by another version of skyflow
        plan = None
    if plan is None:
        return
    offerings = {one.job: one.offering for one in plan.placements}
    is_elsewhere = any(one.provider != LOCAL for one in offerings.values())
    had_machine = store.set_up_times(run.id) if is_elsewhere else {}  # whose start a plan counts by itself
    for job in store.jobs(run.id):
        offering = offerings.get(job.key)
        if offering and job.conclusion is Conclusion.SUCCESS and job.started_at and job.completed_at:
            begun = job.started_at if offering.provider == LOCAL else had_machine.get(job.key, job.started_at)
            seconds = (job.completed_at - begun).total_seconds()
            found.setdefault(job.key, {}).setdefault(_kind(offering), []).append(seconds)
