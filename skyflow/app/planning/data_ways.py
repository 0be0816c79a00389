"""What data costs and takes on its ways between jobs: directly, or over the stores that a project has declared."""

from collections.abc import Collection, Iterator, Sequence

from skyflow._util.text import sentence_list
from skyflow.app.market.config import refuse_unknown_regions
from skyflow.app.planning.data_history import DataHistory
from skyflow.app.project import Project
from skyflow.app.stores import ProjectStores, declared_stores, resident_stores
from skyflow.catalog import Catalog
from skyflow.model.catalog import LOCAL_PLACE, TransferRates
from skyflow.model.config import ProjectConfig
from skyflow.model.placement import Plan
from skyflow.model.stores import DeclaredStore, routed
from skyflow.planner import PlanningJob

__all__ = ["store_notes", "transfer_rates"]

_MOST_NAMED = 3


def transfer_rates(
    jobs: Sequence[PlanningJob],
    project: Project,
    config: ProjectConfig,
    *,
    catalog: Catalog,
    history: DataHistory,
    residency: Collection[str],
) -> TransferRates:
    """Return the rates between all places of jobs and of data outside, with the times that earlier runs have measured.

    Raises:
        UsageError: no table knows where a store is.
        CatalogError: no rule covers a pair of places.
    """
    candidates = {id(job.candidates): job.candidates for job in jobs}.values()
    offerings = {id(one): one for some in candidates for one in some}.values()
    outside = {data.place for job in jobs for data in job.outside}
    places = {one.place for one in offerings} | outside
    stores: Sequence[DeclaredStore] = declared_stores(project, config)
    if not _are_on_the_way(stores) or places == {LOCAL_PLACE}:
        return history.measured(catalog.rates_between(places))
    refuse_unknown_regions(config, catalog)
    stores = resident_stores(stores, residency, lambda: catalog.regions)
    table = catalog.rates_between(places | {store.place for store in stores if store.place is not None})
    return routed(history.measured(table), stores, table, outside=outside)


def store_notes(plan: Plan, project: Project, config: ProjectConfig, residency: Collection[str]) -> Iterator[str]:
    """Yield, for each store that is on the way of data of the plan, whose data that is; nothing where none is declared."""
    if not _are_on_the_way(declared_stores(project, config)):
        return
    stores = ProjectStores(project, residency=residency)
    handing_on = {data.from_job for each in plan.placements for data in each.inputs if data.gigabytes}
    users: dict[str, list[str]] = {}
    for each in plan.placements:
        if each.job in handing_on:
            users.setdefault(stores.near(each.offering.place).name, []).append(f"'{each.job}'")
    for name, jobs in users.items():
        named = jobs if len(jobs) <= _MOST_NAMED else [*jobs[: _MOST_NAMED - 1], f"{len(jobs) - _MOST_NAMED + 1} more"]
        yield f"what {sentence_list(named)} hand{'s' if len(jobs) == 1 else ''} on goes over the store '{name}'"


def _are_on_the_way(stores: Sequence[DeclaredStore]) -> bool:
    """Tell whether data passes somewhere else than through this machine; a bucket of which nobody knows where it is does not count."""
    return any(store.place not in {LOCAL_PLACE, None} for store in stores)
