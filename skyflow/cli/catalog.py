"""`skyflow catalog`: what there is to rent, for how much and how clean."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skyflow.cli._catalog_options import (
    AcceleratorOption,
    Arch,
    ArchOption,
    CapabilityOption,
    CloudOption,
    CountryOption,
    CpusOption,
    FormatOption,
    JurisdictionOption,
    LimitOption,
    MarketOption,
    MemoryOption,
    PartitionOption,
    RegionOption,
    RowFormat,
    Sort,
    SortOption,
    TypeOption,
    ZoneOption,
)
from skyflow.cli._options import JsonOption, StateOption
from skyflow.model.availability import Outcome
from skyflow.model.market import Market

if TYPE_CHECKING:
    from skyflow.app.market.catalog import Listing
    from skyflow.model.availability import Availability
    from skyflow.model.catalog import Offering

__all__ = ["catalog"]

_TABLE_ROWS = 50
_BIG_CHANGES = 10

catalog = typer.Typer(help="What there is to rent: offerings, prices, places, power and carbon.", no_args_is_help=True)


@catalog.command("list")
def list_(
    *,
    accelerators: AcceleratorOption = None,
    cpus: CpusOption = "",
    memory: MemoryOption = "",
    market: MarketOption = Market.ANY,
    cloud: CloudOption = None,
    region: RegionOption = None,
    zone: ZoneOption = None,
    jurisdiction: JurisdictionOption = None,
    country: CountryOption = None,
    partition: PartitionOption = None,
    instance_type: TypeOption = None,
    arch: ArchOption = Arch.ANY,
    capability: CapabilityOption = None,
    sort: SortOption = Sort.PRICE,
    limit: LimitOption = None,
    form: FormatOption = None,
    as_json: JsonOption = False,
) -> None:
    """List offerings, filtered by the words of `resources`."""
    from skyflow.app.market.catalog import Filters, list_offerings, open_catalog  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415

    filters = Filters(
        accelerators=accelerators or (),
        cpus=cpus,
        memory=memory,
        market=market,
        clouds=cloud or (),
        regions=region or (),
        zones=zone or (),
        jurisdictions=jurisdiction or (),
        countries=country or (),
        partitions=partition or (),
        instance_types=instance_type or (),
        arch=arch.value,
        capabilities=capability or (),
    )
    listing = list_offerings(open_catalog(find_project()), filters)
    offerings = sorted(listing.offerings, key=lambda offering: _order(offering, sort))
    _show(listing, offerings, form=RowFormat.JSON if as_json else form, limit=limit)


@catalog.command()
def show(
    thing: Annotated[str, typer.Argument(metavar="TYPE", help="An instance type, or an accelerator: A100, A100:8.")],
    *,
    limit: LimitOption = None,
    form: FormatOption = None,
    as_json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Compare one machine type or accelerator in all regions and clouds, with what was seen of its availability."""
    from skyflow.app.market.availability import seen_availability  # noqa: PLC0415 -- start-up
    from skyflow.app.market.catalog import open_catalog, show_thing  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415

    project = find_project(state=state)
    listing = show_thing(open_catalog(project), thing)
    seen = seen_availability(project, {offering.id for offering in listing.offerings})
    chosen = _format(RowFormat.JSON if as_json else form)
    if chosen is not RowFormat.TABLE:
        _rows(listing, listing.offerings, seen, chosen, limit)
        return
    from skyflow.cli._console import draw, out  # noqa: PLC0415
    from skyflow.report.catalog_table import render_comparison  # noqa: PLC0415

    table = render_comparison(listing.offerings, listing.regions, seen)
    draw((table,))
    _estimates(listing.offerings, out)


@catalog.command()
def diff(
    old: Annotated[
        Path | None, typer.Argument(metavar="OLD", help="A folder of tables; by default those that ship.")
    ] = None,
    new: Annotated[Path | None, typer.Argument(metavar="NEW", help="By default the tables in use.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what the prices of two catalogs differ in; by default, what a refresh has changed."""
    from skyflow.app.market.catalog import compare_folders  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import out  # noqa: PLC0415
    from skyflow.report.catalog_diff import diff_lines, diff_to_json  # noqa: PLC0415

    found = compare_folders(old, new)
    if as_json:
        out(json.dumps(diff_to_json(found), indent=2))
        return
    for line in diff_lines(found, changes=_BIG_CHANGES):
        out(line)


@catalog.command()
def observe(
    offering: Annotated[
        str, typer.Argument(metavar="ID", help="As in `catalog list`: aws/us-east-1/p5.48xlarge/spot.")
    ],
    outcome: Annotated[Outcome, typer.Argument(help="What became of the machine.")],
    *,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0, help="How long it took to get it, or how long it was held.")
    ] = None,
    state: StateOption = None,
) -> None:
    """Record that a machine was had, was not to be had, or was taken back; `show` learns from it."""
    from skyflow.app.market.availability import observe as record  # noqa: PLC0415 -- start-up
    from skyflow.app.market.availability import seen_availability  # noqa: PLC0415
    from skyflow.app.market.catalog import open_catalog  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    project = find_project(state=state)
    record(project, open_catalog(project), offering, outcome, seconds=seconds)
    found = seen_availability(project, [offering])[offering]
    seen = "1 observation" if found.observations == 1 else f"{found.observations} observations"
    out(f"{offering}: {found.available:.0%} to be had, by {seen}")


@catalog.command()
def refresh(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="aws, azure, gcp, carbon (or one carbon service).  [default: azure]"),
    ] = None,
    *,
    region: RegionOption = None,
    days: Annotated[int, typer.Option("--days", min=1, metavar="N", help="How many days of carbon to look at.")] = 365,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take prices that do not look plausible too.")] = False,
) -> None:
    """Fetch new prices and carbon figures from the official sources; AWS, GCP and carbon need credentials."""
    from skyflow.app.market.refresh import Wanted, refresh_catalog  # noqa: PLC0415 -- start-up
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.report.catalog_diff import diff_lines  # noqa: PLC0415

    wanted = Wanted(sources=sources or (), regions=region or (), days=days, is_forced=force, is_rehearsal=dry_run)
    done = refresh_catalog(wanted, progress=err)
    for line in diff_lines(done.diff, changes=_BIG_CHANGES):
        out(line)
    for note in (*done.objections, *done.notes):
        err(f"note: {note}", style="yellow")
    out(f"the new tables are in {done.folder}" if done.folder else "nothing was changed: this was a rehearsal")


@catalog.command()
def carbon(
    region: Annotated[str, typer.Argument(metavar="REGION", help="A region of a cloud, such as eu-west-2.")],
    *,
    hours: Annotated[int, typer.Option("--hours", min=1, max=168, metavar="N", help="How far to look ahead.")] = 24,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Ask a live service: Britain's operator, or Electricity Maps or WattTime with a key."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how clean the power of a region is expected to be, hour by hour."""
    from skyflow.app.market.carbon import expected_carbon  # noqa: PLC0415 -- start-up
    from skyflow.app.market.catalog import open_catalog  # noqa: PLC0415
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import out  # noqa: PLC0415

    found = expected_carbon(open_catalog(find_project()), region, hours=hours, is_live=live)
    if as_json:
        out(json.dumps(found.to_json(), indent=2))
        return
    out(f"{region}, grid {found.grid}: {found.mean:.0f} gCO2e/kWh in the mean of a year; {found.basis}")
    least = min(grams for _, grams in found.hours)
    for at, grams in found.hours:
        out(f"{at:%Y-%m-%d %H:%M} UTC  {grams:4.0f}{'  least' if grams == least else ''}")


@catalog.command()
def doctor() -> None:
    """Look for what is wrong with the catalog in use: bad rows, changed files, old or odd prices, gaps."""
    from skyflow.app.market.catalog import examine_catalog, open_catalog  # noqa: PLC0415 -- start-up
    from skyflow.app.project import find_project  # noqa: PLC0415
    from skyflow.cli._console import err, out  # noqa: PLC0415
    from skyflow.errors import EXIT_NO_PLAN  # noqa: PLC0415

    catalog = open_catalog(find_project())
    found = examine_catalog(catalog)
    for ailment in found:
        if ailment.is_fault:
            err(f"error: {ailment.text}", style="red")
        else:
            out(f"note: {ailment.text}")
    faults = sum(ailment.is_fault for ailment in found)
    out(
        f"{catalog.directory}: {len(catalog.index):,} prices can be used, {faults} {'row' if faults == 1 else 'rows'} cannot"
    )
    if faults:
        raise typer.Exit(EXIT_NO_PLAN)


def _order(offering: "Offering", sort: Sort) -> tuple[object, ...]:
    grams = offering.footprint.gco2e(3600) if offering.footprint else float("inf")
    first: object = {
        Sort.PRICE: offering.price_usd_per_hour,
        Sort.CARBON: grams,
        Sort.VCPUS: offering.vcpus,
        Sort.MEMORY: offering.memory_gib,
        Sort.NAME: offering.instance_type,
    }[sort]
    return (first, offering.price_usd_per_hour, offering.id)


def _format(named: RowFormat | None) -> RowFormat:
    return named or (RowFormat.TABLE if sys.stdout.isatty() else RowFormat.CSV)


def _show(listing: "Listing", offerings: "Sequence[Offering]", *, form: RowFormat | None, limit: int | None) -> None:
    chosen = _format(form)
    from skyflow.cli._console import draw, err, out  # noqa: PLC0415 -- start-up

    if listing.near_miss is not None:
        err(f"note: {listing.near_miss}", style="yellow")
        if listing.near_miss.hint:
            err(f"hint: {listing.near_miss.hint}")
    if chosen is not RowFormat.TABLE:
        _rows(listing, offerings, {}, chosen, limit)
        return
    from skyflow.report.catalog_table import render_offerings  # noqa: PLC0415 -- start-up

    most = _TABLE_ROWS if limit is None else limit or len(offerings)
    if not offerings:
        out("nothing in the catalog is like that")
        return
    draw((render_offerings(offerings[:most], listing.regions),))
    _estimates(offerings[:most], out)
    if len(offerings) > most:
        out(f"{most} of {len(offerings):,}; --limit 0 shows all")


def _rows(
    listing: "Listing",
    offerings: "Sequence[Offering]",
    seen: "Mapping[str, Availability]",
    form: RowFormat,
    limit: int | None,
) -> None:
    from skyflow.cli._console import out  # noqa: PLC0415 -- start-up
    from skyflow.report.catalog_rows import catalog_csv, catalog_row  # noqa: PLC0415

    shown = offerings[: limit or None]
    rows = [catalog_row(offering, listing.regions, seen) for offering in shown]
    out(json.dumps(rows, indent=2) if form is RowFormat.JSON else catalog_csv(rows).rstrip("\n"))


def _estimates(offerings: "Sequence[Offering]", out: "Callable[[str], None]") -> None:
    if any(offering.is_estimated for offering in offerings):
        out("~: no price is published for this; it is skyflow's own estimate")
