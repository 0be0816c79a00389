"""Looking at the catalog: what there is, one thing in all places, what changed, what is wrong."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from skyflow._util.data_files import data_file
from skyflow._util.text import did_you_mean, sentence_list
from skyflow.app.clock import SystemClock
from skyflow.app.market.catalog_folder import catalog_folder
from skyflow.app.market.config import project_config
from skyflow.app.project import Project
from skyflow.catalog import Catalog, load_catalog, matching_offerings, select_candidates
from skyflow.catalog.diff import read_prices
from skyflow.catalog.doctor import Ailment, examine
from skyflow.errors import NoCandidateError, UsageError
from skyflow.model.catalog import Offering, Region
from skyflow.model.catalog_diff import CatalogDiff, compare
from skyflow.model.resources import (
    Accelerators,
    Alternatives,
    Amount,
    Limits,
    Market,
    Requirements,
    parse_accelerators,
    parse_amount,
    parse_memory,
)

__all__ = ["Filters", "Listing", "compare_folders", "examine_catalog", "list_offerings", "open_catalog", "show_thing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a listing is limited to, as written on the command line; empty is no limit."""

    accelerators: Sequence[str] = ()
    cpus: str = ""
    memory: str = ""
    market: Market = Market.ANY
    clouds: Collection[str] = ()
    regions: Collection[str] = ()
    zones: Collection[str] = ()
    jurisdictions: Collection[str] = ()
    countries: Collection[str] = ()
    partitions: Collection[str] = ()
    instance_types: Collection[str] = ()
    arch: str = "any"
    capabilities: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Offerings, and the regions they stand in by (provider, region); where there are none, what came nearest."""

    offerings: Sequence[Offering]
    regions: dict[tuple[str, str], Region]
    near_miss: NoCandidateError | None = None


def open_catalog(project: Project) -> Catalog:
    """Return the catalog that plans of a project use, without the local machine.

    Raises:
        UsageError: a folder is named that does not exist.
        WorkflowInvalidError: the project's `skyflow.yml` has errors.
    """
    config = project_config(project.root)
    return load_catalog(catalog_folder(config), config)


def list_offerings(catalog: Catalog, filters: Filters) -> Listing:
    """Return every offering that passes the filters, cheapest first.

    Raises:
        UsageError: a filter cannot be read.
        NoCandidateError: a filter names what nobody knows.
    """
    requirements = _requirements(catalog, filters)
    found = matching_offerings(catalog, requirements, job="", with_defaults=False)
    near_miss = None if found else _near_miss(catalog, requirements)
    return Listing(offerings=found, regions=dict(catalog.regions), near_miss=near_miss)


def _near_miss(catalog: Catalog, requirements: Requirements) -> NoCandidateError | None:
    try:
        select_candidates(catalog, requirements, job="")
    except NoCandidateError as error:
        return error
    return None


def show_thing(catalog: Catalog, thing: str) -> Listing:
    """Return all offerings of an instance type, an accelerator, or a number of accelerators.

    Raises:
        UsageError: nothing is called that.
    """
    names = {name.lower(): name for name in catalog.index.columns["instance_type"]}
    names |= {offering.instance_type.lower(): offering.instance_type for offering in catalog.own}
    if thing.lower() in names:
        return list_offerings(catalog, Filters(instance_types=(thing,)))
    name = thing.partition(":")[0]
    try:
        name = parse_accelerators(thing).name
    except ValueError as error:
        raise UsageError(str(error).partition(";")[0]) from None
    if catalog.accelerators.canonical(name) is None:
        every = (*names.values(), *catalog.accelerators.known)
        longer = [one for one in every if one.lower().startswith(thing.lower())]
        raise UsageError(
            f"no instance type and no accelerator is called '{thing}'",
            hint=f"there is {sentence_list(longer[:5])}"
            if longer
            else did_you_mean(thing, every, otherwise="`skyflow catalog list` shows what there is"),
        )
    return list_offerings(catalog, Filters(accelerators=(thing,)))


def _requirements(catalog: Catalog, filters: Filters) -> Requirements:
    return Requirements(
        cpus=_amount(filters.cpus, memory=False),
        memory_gib=_amount(filters.memory, memory=True),
        accelerators=_any_number(catalog, filters.accelerators),
        market=filters.market,
        providers=frozenset(filters.clouds) or None,
        instance_types=frozenset(filters.instance_types) or None,
        arch=filters.arch,
        capabilities=frozenset(filters.capabilities),
        limits=Limits(
            regions=frozenset(filters.regions) or None,
            zones=frozenset(filters.zones) or None,
            jurisdictions=frozenset(filters.jurisdictions) or None,
            countries=frozenset(filters.countries) or None,
            partitions=frozenset(filters.partitions) or None,
        ),
    )


def _amount(text: str, *, memory: bool) -> Amount | None:
    try:
        return (parse_memory(text) if memory else parse_amount(text)) if text else None
    except ValueError as error:
        message, _, hint = str(error).partition("; ")
        raise UsageError(message, hint=hint or None) from None


def _any_number(catalog: Catalog, texts: Sequence[str]) -> Accelerators | Alternatives | None:
    """Read accelerators; without a number, every number that they come in is meant."""
    options: list[Accelerators] = []
    for text in texts:
        try:
            device = parse_accelerators(text)
        except ValueError as error:
            message, _, hint = str(error).partition("; ")
            raise UsageError(message, hint=hint or None) from None
        name = catalog.accelerators.canonical(device.name)
        if ":" in text or name is None or name.lower() != (catalog.accelerators.canonical(text) or "").lower():
            options.append(device)
            continue
        columns = catalog.index.columns
        pairs = zip(columns["accelerator"], columns["accelerator_count"], strict=True)
        counts = {count for device_name, count in pairs if device_name == name}
        counts |= {one.accelerators.count for one in catalog.own if one.accelerators and one.accelerators.name == name}
        options += [replace(device, name=name, count=count) for count in sorted(counts)] or [device]
    if len(options) > 1:
        return Alternatives(tuple(options), in_order=False)
    return options[0] if options else None


def compare_folders(old: Path | None, new: Path | None) -> CatalogDiff:
    """Return what the prices of two folders differ in; by default of the tables that ship and those in use.

    Raises:
        UsageError: one of them is no folder.
        CatalogError: a table cannot be read.
    """
    for folder in (old, new):
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder} is no folder", hint="name a folder of catalog tables")
    return compare(read_prices(old or data_file("catalogs")), read_prices(new or catalog_folder()))


def examine_catalog(catalog: Catalog) -> list[Ailment]:
    """Return all that can be said against a catalog.

    Raises:
        CatalogError: a table cannot be read at all.
    """
    return examine(catalog.directory, catalog.index, today=SystemClock().now().date())
