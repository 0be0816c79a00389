"""What the planner knows beyond the workflow and the prices: earlier runs, the project's own functions, peaks."""

import importlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from pathlib import Path

from skyflow.app.market.availability import seen_availability
from skyflow.app.planning.past_durations import PastDurations
from skyflow.app.project import Project
from skyflow.catalog import Catalog
from skyflow.errors import UsageError
from skyflow.model.availability import Availability
from skyflow.model.catalog import Offering
from skyflow.model.resources import Estimate, Market
from skyflow.model.workflow import Workflow
from skyflow.planner import Knowledge

__all__ = ["known_for"]

_TERA = 1e12
_STARTUP_SECONDS = {"aws": 40.0, "gcp": 40.0, "azure": 60.0}
"""From asking a cloud for a machine until a job can begin on it over SSH: our own estimates for small Linux images, until
skyflow has seen for itself. Machines that stand ready, this one and the project's own, need no time."""

_Seen = Callable[[], Mapping[str, Availability]]


def known_for(workflow: Workflow, estimates: Sequence[Estimate], *, catalog: Catalog, project: Project) -> Knowledge:
    """Return what is known for the jobs of a workflow; only what one of their estimates asks for is looked up.

    Raises:
        UsageError: a function cannot be imported, or gives no duration.
        StoreError: the state store cannot be used.
    """
    named = {estimate.function for estimate in estimates if estimate.function}
    past = PastDurations()
    if any(estimate.from_history for estimate in estimates) and project.state.database.exists():
        past = PastDurations.of(workflow, project)
    seen = cache(lambda: seen_availability(project))
    has_flops = any(estimate.work is not None and estimate.work.flops for estimate in estimates)
    return Knowledge(
        past=past.on,
        functions={
            name: _imported(name, (Path(workflow.path).absolute().parent, project.root)) for name in sorted(named)
        },
        peaks={name: peak * _TERA for name, peak in catalog.accelerators.peaks.items()} if has_flops else {},
        footprint=attrgetter("footprint"),
        interruptions=lambda offering: _interruptions(offering, seen),
        startup=lambda offering: _startup(offering, seen),
        is_by_job=bool(past.seconds),
    )


def _interruptions(offering: Offering, seen: _Seen) -> float:
    """Return how often one of the spot machines is taken away per hour: as it was seen to be, else as the catalog says."""
    if offering.market is not Market.SPOT:
        return 0.0
    known = seen().get(offering.id)
    each = offering.interruptions_per_hour if known is None else known.interruptions_per_hour
    return each * offering.spot_nodes


def _startup(offering: Offering, seen: _Seen) -> float:
    """Return the seconds until a job can begin on such a machine: as they were seen to be, else as usual for its cloud."""
    usual = _STARTUP_SECONDS.get(offering.provider, 0.0)
    known = seen().get(offering.id) if usual else None
    return usual if known is None or known.provisioning_seconds is None else known.provisioning_seconds


def _imported(name: str, folders: Sequence[Path]) -> Callable[[Offering], float]:
    """Return a function from beside the workflow, or of the project, asked once about each offering; its answers are checked."""
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
