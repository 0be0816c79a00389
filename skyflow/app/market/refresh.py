"""`skyflow catalog refresh`: fetch, lay over, look whether it can be believed, and swap in one move."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from skyflow._util.text import sentence_list
from skyflow.app.clock import SystemClock
from skyflow.app.market.carbon_services import CARBON_SERVICES, carbon_services, keys_that_help
from skyflow.app.market.catalog_folder import catalog_folder, refreshed_folder
from skyflow.catalog.build import build_index
from skyflow.catalog.diff import read_prices
from skyflow.catalog.index import Index
from skyflow.catalog.refresh.aws import aws_pages, aws_session
from skyflow.catalog.refresh.azure import AZURE_PRICES, azure_pages
from skyflow.catalog.refresh.carbon import grid_figures, grids_of
from skyflow.catalog.refresh.gates import objections
from skyflow.catalog.refresh.gcp import GCP_BILLING, GcpMachine, gcp_pages
from skyflow.catalog.refresh.lay import Laid, lay_grids, lay_prices, write_meta
from skyflow.catalog.refresh.quotes import Page
from skyflow.catalog.refresh.web import Web
from skyflow.errors import CatalogError, UsageError
from skyflow.model.catalog_diff import CatalogDiff, PriceKey, compare

__all__ = ["SOURCES", "Endpoints", "Refreshed", "Wanted", "refresh_catalog"]

_CARBON = "carbon"
SOURCES = ("aws", "azure", "gcp", _CARBON, *(name for name, known in CARBON_SERVICES.items() if known.variables))
"""What can be refreshed; `carbon` stands for all carbon services whose keys are there."""

GCP_KEY_VARIABLE = "GOOGLE_CLOUD_API_KEY"
_DAYS_OF_CARBON = 365
_KEPT_FOLDERS = 2
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Where the services are, and how AWS is spoken to; other ones for mirrors and tests.

    `carbon` has other addresses of carbon services than the official ones, by name.
    """

    azure: str = AZURE_PRICES
    gcp: str = GCP_BILLING
    carbon: Mapping[str, str] = field(default_factory=dict)
    aws: Callable[[], Any] = aws_session
    sleep: Callable[[float], None] = time.sleep  # noqa: TID251 -- waits for a service to be ready again


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to refresh: sources, and of clouds only some regions; empty for all. `days` of carbon are looked at."""

    sources: Sequence[str] = ()
    regions: Sequence[str] = ()
    days: int = _DAYS_OF_CARBON
    is_forced: bool = False
    is_rehearsal: bool = False


@dataclass(slots=True)
class Refreshed:
    """What came of it: the differences, what was objected to, and what is worth knowing besides."""

    diff: CatalogDiff
    objections: tuple[str, ...]
    notes: list[str] = field(default_factory=list)
    folder: Path | None = None


def refresh_catalog(
    wanted: Wanted, *, progress: Callable[[str], None], endpoints: Endpoints | None = None, now: datetime | None = None
) -> Refreshed:
    """Fetch new prices from the official sources, and use them from now on if they can be believed.

    The tables in use are not touched before everything has been fetched, written and looked at; then the new folder takes
    their place in one move. Whoever interrupts this, or whatever fails, leaves them as they were.

    Raises:
        UsageError: a source or region is not known, or a key is missing.
        CatalogError: a source cannot be used, or the new prices are not plausible.
    """
    moment = now or SystemClock().now()
    places = endpoints or Endpoints()
    current, target = catalog_folder(), refreshed_folder()
    if target.exists() and not target.is_symlink():
        raise CatalogError(f"{target} is not a folder that a refresh has made", hint="move it away")
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent, moment)
    staging = Path(tempfile.mkdtemp(prefix=".catalogs-", dir=target.parent))
    try:
        _copy_tables(current, staging)
        before = read_prices(current)
        notes = _fetch(wanted, staging, endpoints=places, progress=progress, now=moment)
        result = _judged(before, staging, notes, faults=len(build_index(current)[0]["faults"]))
        if result.objections and not wanted.is_forced:
            raise CatalogError(
                f"the new prices are not plausible, so the old ones stay: {'; '.join(result.objections)}",
                hint="if they are right all the same, repeat it with --force",
            )
        if not wanted.is_rehearsal:
            result.folder = _swap(staging, target, moment)
        return result
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fetch(
    wanted: Wanted, staging: Path, *, endpoints: Endpoints, progress: Callable[[str], None], now: datetime
) -> list[str]:
    """Lay what the sources say over the tables in a folder, and return what is worth knowing."""
    index = Index(*build_index(staging))
    web = Web(endpoints.sleep, tell=progress)
    notes: list[str] = []
    written: dict[str, str] = {}
    for source in _sources(wanted):
        if source == _CARBON or source in CARBON_SERVICES:
            name = None if source == _CARBON else source
            asked, left = _fetch_carbon(wanted, staging, name, web, addresses=endpoints.carbon, now=now)
            written |= dict.fromkeys(("carbon.csv", "carbon_profiles.csv"), "; ".join(asked))
            notes += _carbon_notes(left)
            continue
        regions = _regions_of(index, source, wanted.regions)
        pages = _told(_pages(source, index, regions, web, endpoints=endpoints, now=now), progress)
        quotes = (quote for page in pages for quote in page.quotes)
        laid = lay_prices(staging, source, quotes, whole_regions=() if source == "gcp" else regions)
        notes += _notes(source, laid)
        written[f"{source}/prices.csv"] = f"{source}'s own price service"
    write_meta(staging, written, day=f"{now:%Y-%m-%d}")
    return notes


def _fetch_carbon(
    wanted: Wanted,
    staging: Path,
    name: str | None,
    web: Web,
    *,
    addresses: Mapping[str, str],
    now: datetime,
) -> tuple[list[str], list[str]]:
    """Lay what carbon services say over the tables; return the services that were asked, and the grids that none knows."""
    grids = grids_of(staging, wanted.regions)
    if not grids:
        raise UsageError(f"no grid is known of {sentence_list(wanted.regions, conjunction='or')}")
    services = [one for one in carbon_services(web, name=name, addresses=addresses) if one.measures]
    figures, asked, left = [], dict[str, None](), list[str]()
    for grid in grids:
        service = next((one for one in services if one.covers(grid)), None)
        if service is None:
            left.append(grid.name)
            continue
        one = grid_figures(service, grid, now=now, days=wanted.days)
        web.tell(f"carbon {one.grid}: {one.mean:.0f} g/kWh over {one.days} days, by {service.title}")
        figures.append(one)
        asked[service.title] = None
    if not figures:
        what = "none of them has a key" if not services else f"{services[0].title} knows none of these grids"
        raise UsageError(f"no carbon service can be asked: {what}", hint=keys_that_help())
    lay_grids(staging, figures, year=now.year)
    return list(asked), left


def _carbon_notes(left: Sequence[str]) -> Iterator[str]:
    if left:
        some = sentence_list([*left[:3], *([f"{len(left) - 3} more"] if len(left) > 3 else [])])  # noqa: PLR2004
        yield f"carbon: no service with a key knows {some}, which keep their figures; {keys_that_help()}"


def _judged(before: dict[PriceKey, float], staging: Path, notes: list[str], *, faults: int) -> Refreshed:
    """Compare the new tables with the old ones, and say what is against them."""
    now_faulty = len(build_index(staging)[0]["faults"])
    after = read_prices(staging)
    said = [f"{now_faulty - faults:,} new rows cannot be used"] if now_faulty > faults else []
    return Refreshed(compare(before, after), (*said, *objections(before, after)), notes)


def _pages(
    source: str, index: Index, regions: Sequence[str], web: Web, *, endpoints: Endpoints, now: datetime
) -> Iterator[Page]:
    match source:
        case "azure":
            return azure_pages(web, regions, base=endpoints.azure)
        case "aws":
            return aws_pages(endpoints.aws(), regions, now=now)
        case _:
            key = _key(GCP_KEY_VARIABLE, "Google's price catalog", "an API key that may use the Cloud Billing API")
            return gcp_pages(web, key, _gcp_machines(index), base=endpoints.gcp)


def _sources(wanted: Wanted) -> Sequence[str]:
    for unknown in sorted(set(wanted.sources) - set(SOURCES)):
        raise UsageError(f"there is no source '{unknown}'", hint=f"there are {sentence_list(SOURCES)}")
    return tuple(dict.fromkeys(wanted.sources)) or ("azure",)


def _regions_of(index: Index, provider: str, asked: Sequence[str]) -> list[str]:
    """Return the regions that a cloud has prices of, without closed partitions unless they are asked for."""
    sold = {place.region for place in index.places if place.provider == provider}
    of_cloud = [region for region in index.regions if region.provider == provider and region.region in sold]
    if not asked:
        return [region.region for region in of_cloud if region.partition == provider]
    found = [region.region for region in of_cloud if region.region in asked]
    if not found:
        raise UsageError(f"{provider} has no prices of {sentence_list(asked, conjunction='or')}")
    return found


def _gcp_machines(index: Index) -> dict[str, GcpMachine]:
    """Return the machines whose price is the sum of rates: not those with disks of their own, shared cores, or TPUs."""
    columns = index.columns
    rows = zip(
        columns["provider"], columns["instance_type"], columns["vcpus"], columns["memory_gib"], columns["accelerator"],
        columns["accelerator_count"], columns["capabilities"], strict=True,
    )  # fmt: skip
    return {
        name: (vcpus, memory, device, count or 0)
        for provider, name, vcpus, memory, device, count, able in rows
        if provider == "gcp" and not {"burstable", "local-ssd", "tpu"} & set(able)
    }


def _key(variable: str, service: str, what: str) -> str:
    if key := os.environ.get(variable):
        return key
    raise UsageError(f"{service} asks for a key", hint=f"set {variable} to {what}")


def _told(pages: Iterator[Page], progress: Callable[[str], None]) -> Iterator[Page]:
    for page in pages:
        progress(f"{page.about}: {len(page.quotes):,} prices" if page.quotes else page.about)
        yield page


def _notes(source: str, laid: Laid) -> Iterator[str]:
    if not laid.used:
        yield f"{source}: no price could be used"
    for what, names in (("machine types", laid.unknown_types), ("regions", laid.unknown_regions)):
        if names:
            some = sentence_list(sorted(names)[:3])
            yield f"{source}: {len(names)} {what} are left out, for no table knows them, such as {some}"


def _sweep(folder: Path, now: datetime) -> None:
    """Remove what refreshes have left that were killed; those that go on are younger than a day."""
    for path in folder.glob(".catalogs-*"):
        if not path.is_symlink() and now.timestamp() - path.stat().st_mtime > _DAY_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _copy_tables(source: Path, destination: Path) -> None:
    for path in sorted([*source.glob("*.csv"), *source.glob("*/*.csv")]):
        copy = destination / path.relative_to(source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, copy)


def _swap(staging: Path, target: Path, now: datetime) -> Path:
    """Let the name of the refreshed tables mean the new folder, in one move; the one before is kept, older ones go."""
    folder = target.with_name(f"{target.name}-{now:%Y%m%dT%H%M%S%f}")
    staging.rename(folder)
    folder.chmod(0o755)
    link = target.with_name(f".{target.name}-{os.getpid()}")
    link.symlink_to(folder.name)
    link.replace(target)
    older = sorted(path for path in target.parent.glob(f"{target.name}-*") if path.is_dir())
    for path in older[:-_KEPT_FOLDERS]:
        shutil.rmtree(path, ignore_errors=True)
    return folder
