"""What skyflow has seen of the availability of offerings: recorded, and read back as an estimate."""

from collections.abc import Collection
from datetime import datetime, timedelta

from skyflow._util.text import did_you_mean
from skyflow.app.clock import SystemClock
from skyflow.app.project import Project
from skyflow.catalog import Catalog
from skyflow.errors import UsageError
from skyflow.model.availability import HALF_LIFE_DAYS, Availability, Observation, Outcome, estimate_availability
from skyflow.model.blocks import Block
from skyflow.store.blocks import refused_to_any
from skyflow.store.observations import ObservationStore
from skyflow.store.store import open_store

__all__ = ["observe", "refused_lately", "seen_availability"]

_HORIZON = timedelta(days=20 * HALF_LIFE_DAYS)
"""What is older weighs less than a millionth."""


def seen_availability(project: Project, offerings: Collection[str] | None = None) -> dict[str, Availability]:
    """Return what the project's store says of some offerings or all, by their ids; nothing of those nobody has tried.

    Raises:
        StoreError: the store cannot be read.
    """
    if not project.state.database.exists():
        return {}
    now = SystemClock().now()
    with open_store(project.state, create=False) as store:
        seen = ObservationStore(store).observations_of(offerings, since=now - _HORIZON)
    estimates = {offering: estimate_availability(found, now=now) for offering, found in seen.items()}
    return {offering: estimate for offering, estimate in estimates.items() if estimate is not None}


def refused_lately(project: Project, now: datetime) -> tuple[Block, ...]:
    """Return what clouds have refused to any run of the project, and is not to be had yet, oldest first.

    Raises:
        StoreError: the store cannot be read.
    """
    if not project.state.database.exists():
        return ()
    with open_store(project.state, create=False) as store:
        return refused_to_any(store, now)


def observe(
    project: Project,
    catalog: Catalog,
    offering: str,
    outcome: Outcome,
    *,
    seconds: float | None = None,
) -> Observation:
    """Record what became of a machine, for example one that was rented by other means.

    Raises:
        UsageError: the catalog has no such offering.
        StoreError: the store cannot be written.
    """
    known = {one.id for one in catalog.own} | set(map(catalog.index.id_of, range(len(catalog.index))))
    if offering not in known:
        name = offering.split("/")
        near = [one for one in known if len(name) > 1 and f"/{name[1]}/" in one]
        raise UsageError(
            f"the catalog has no offering '{offering}'",
            hint=did_you_mean(offering, sorted(near), otherwise="`skyflow catalog list --format csv` has their ids"),
        )
    seen = Observation(offering=offering, at=SystemClock().now(), outcome=outcome, seconds=seconds)
    with open_store(project.state) as store:
        ObservationStore(store).record_observations([seen])
    return seen
