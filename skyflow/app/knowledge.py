"""What the planner knows beyond the workflow and the prices: earlier runs, the project's own functions, peaks."""

import importlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles

from skyflow.app.project import Project
from skyflow.catalog import Catalog
from skyflow.errors import UsageError
from skyflow.model.catalog import Offering
from skyflow.model.placement import Plan
from skyflow.model.resources import Estimate
from skyflow.model.run import RunRecord
from skyflow.model.status import Conclusion
from skyflow.model.workflow import Workflow
from skyflow.planner import Knowledge
from skyflow.planner.estimates import Past
from skyflow.store.store import Store, open_store

__all__ = ["known_for"]

_RUNS = 50
"""How many runs of the project are looked through, the newest first."""
_PEAKS = {
    "P4": 5.5, "P100": 21.2, "V100": 125, "V100-32GB": 125, "T4": 65, "T4g": 65, "A10": 125, "A10G": 125, "A40": 150,
    "A100": 312, "A100-80GB": 312, "L4": 121, "L40": 181, "L40S": 362, "H100": 989, "H100-NVL": 835, "H200": 989,
    "B200": 2250, "B300": 2250, "GB200": 2500, "GB300": 2500, "MI25": 24.6, "MI250X": 383, "MI300X": 1307,
    "Gaudi2": 432, "Gaudi3": 1835, "Inferentia": 64, "Inferentia2": 190, "Trainium": 190, "Trainium2": 667,
    "tpu-v2": 46, "tpu-v3": 123, "tpu-v4": 275, "tpu-v5e": 197, "tpu-v5p": 459, "tpu-v6e": 918,
}  # fmt: skip
"""Trillions of floating-point operations per second of one accelerator, dense 16-bit, from the vendors' data sheets."""


def known_for(workflow: Workflow, estimates: Sequence[Estimate], *, catalog: Catalog, project: Project) -> Knowledge:
    """Return what is known for the jobs of a workflow; only what one of their estimates asks for is looked up.

    Raises:
        UsageError: a function cannot be imported, or gives no duration.
        StoreError: the state store cannot be used.
    """
    named = {estimate.function for estimate in estimates if estimate.function}
    past: dict[str, dict[str, list[float]]] = {}
    if any(estimate.from_history for estimate in estimates) and project.state.database.exists():
        past = _durations(workflow, project)
    peaks = {catalog.accelerators.canonical(name) or name: peak * 1e12 for name, peak in _PEAKS.items()}
    return Knowledge(
        past=lambda job, offering: _past(past.get(job, {}), offering),
        functions={
            name: _imported(name, (Path(workflow.path).absolute().parent, project.root)) for name in sorted(named)
        },
        peaks=peaks,
        grams=_grams,
        interruptions=lambda offering: offering.interruptions_per_hour,
        is_by_job=bool(past),
    )


def _grams(offering: Offering, seconds: float, utilization: float | None) -> float | None:
    return None if offering.footprint is None else offering.footprint.gco2e(seconds, utilization)


def _past(durations: Mapping[str, list[float]], offering: Offering) -> Past | None:
    """Return earlier runs on this type of machine; where there are none, those on any."""
    kind = f"{offering.provider}/{offering.instance_type}"
    seconds = durations.get(kind) or [one for some in durations.values() for one in some]
    if not seconds:
        return None
    low, _, high = quantiles(seconds, n=4) if len(seconds) > 1 else (seconds[0],) * 3
    return Past(runs=len(seconds), median_seconds=median(seconds), low_seconds=low, high_seconds=high)


def _durations(workflow: Workflow, project: Project) -> dict[str, dict[str, list[float]]]:
    """Return, by job and kind of machine, how long jobs of earlier runs of this workflow took that succeeded."""
    found: dict[str, dict[str, list[float]]] = {}
    with open_store(project.state, create=False) as store:
        for run in store.latest_runs(_RUNS):
            if run.workflow_path == workflow.path:
                _add_durations(found, store, run)
    return found


def _add_durations(found: dict[str, dict[str, list[float]]], store: Store, run: RunRecord) -> None:
    try:
        plan = Plan.from_json(run.plan) if isinstance(run.plan, Mapping) else None
    except ValueError:  # made by another version of skyflow
        plan = None
    if plan is None:
        return
    kinds = {one.job: f"{one.offering.provider}/{one.offering.instance_type}" for one in plan.placements}
    for job in store.jobs(run.id):
        if job.conclusion is Conclusion.SUCCESS and job.started_at and job.completed_at and job.key in kinds:
            seconds = (job.completed_at - job.started_at).total_seconds()
            found.setdefault(job.key, {}).setdefault(kinds[job.key], []).append(seconds)


def _imported(name: str, folders: Sequence[Path]) -> Callable[[Offering], float]:
    """Return a function from beside the workflow, or of the project, checked each time it answers."""
    module, _, attribute = name.partition(":")
    before = list(sys.path)
    sys.path[:0] = map(str, folders)
    try:
        function = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # whatever the module raises when it is imported
        raise UsageError(f"the estimate '{name}' cannot be imported: {error}") from error
    finally:
        sys.path[:] = before
    if not callable(function):
        raise UsageError(f"the estimate '{name}' is not a function")

    def checked(offering: Offering) -> float:
        try:
            seconds = float(function(offering))
        except Exception as error:
            raise UsageError(f"the estimate '{name}' failed for {offering.id}: {error}") from error
        if not 0 <= seconds < math.inf:
            raise UsageError(f"the estimate '{name}' gives {seconds} seconds for {offering.id}")
        return seconds

    return checked
