"""From the tables in a directory to a catalog: offerings, regions, accelerator names and transfer rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from skyflow._util.data_files import data_file
from skyflow.catalog.accelerators import AcceleratorNames, read_accelerators
from skyflow.catalog.tables import Row, read_table
from skyflow.catalog.transfers import TransferRules, read_transfer_rules
from skyflow.errors import CatalogError
from skyflow.model.catalog import Offering, Region, TransferRates
from skyflow.model.resources import Accelerators, Market

__all__ = ["Catalog", "load_catalog"]

_NOT_PRICES = frozenset({"accelerators.csv", "egress.csv", "network.csv", "regions.csv"})
_COLUMNS = (
    "provider", "region", "zone", "instance_type", "market", "vcpus", "memory_gib", "accelerator",
    "accelerator_count", "price_usd_per_hour", "price_basis", "price_date",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything on sale, and what is known about the places where it stands.

    `regions` is keyed by (provider, region).
    """

    offerings: tuple[Offering, ...]
    regions: Mapping[tuple[str, str], Region]
    accelerators: AcceleratorNames
    transfer_rules: TransferRules

    def joined_by(self, *offerings: Offering) -> "Catalog":
        """Return the catalog with further offerings, for example the local machine's, first."""
        named = tuple(self.accelerators.canonically_named(offering) for offering in offerings)
        return replace(self, offerings=(*named, *self.offerings))

    def transfer_rates(self, offerings: Iterable[Offering]) -> TransferRates:
        """Return what moving data costs and takes between the places of some offerings.

        Raises:
            CatalogError: no rule covers a pair of places.
        """
        return self.transfer_rules.rates({offering.place for offering in offerings}, self.regions)


def load_catalog(directory: Path | None = None) -> Catalog:
    """Read a directory of catalog tables; without one, those that ship with skyflow.

    `regions.csv`, `accelerators.csv`, `egress.csv` and `network.csv` must be there; every other `*.csv` is a price
    list. `catalogs/SOURCES.md` describes the columns.

    Raises:
        CatalogError: a table is missing or faulty; the message names the file, the line, the column and the reason.
    """
    directory = directory or data_file("catalogs")
    regions = {(region.provider, region.region): region for region in _read_regions(directory / "regions.csv")}
    accelerators = read_accelerators(directory / "accelerators.csv")
    rules = read_transfer_rules(directory / "egress.csv", directory / "network.csv")
    offerings: dict[str, Offering] = {}
    for path in sorted(directory.glob("*.csv")):
        if path.name in _NOT_PRICES:
            continue
        for row in read_table(path, _COLUMNS):
            offering = _offering(row, regions, accelerators)
            if offering.id in offerings:
                raise row.fault("instance_type", f"{offering.id} is there twice")
            offerings[offering.id] = offering
    if not offerings:
        raise CatalogError(f"{directory} holds no price list")
    return Catalog(
        offerings=tuple(offerings.values()), regions=regions, accelerators=accelerators, transfer_rules=rules
    )


def _read_regions(path: Path) -> Iterator[Region]:
    for row in read_table(path, ("provider", "region", "name", "continent", "country", "jurisdiction")):
        yield Region(
            provider=row.text("provider"),
            region=row.text("region"),
            name=row.text("name"),
            continent=row.optional("continent"),
            country=row.optional("country"),
            jurisdiction=row.optional("jurisdiction"),
        )


def _offering(row: Row, regions: Mapping[tuple[str, str], Region], accelerators: AcceleratorNames) -> Offering:
    provider, region = row.text("provider"), row.text("region")
    if (provider, region) not in regions:
        raise row.fault("region", f"'{region}' of {provider} is not in regions.csv")
    return Offering(
        provider=provider,
        region=region,
        zone=row.optional("zone"),
        instance_type=row.text("instance_type"),
        market=Market(row.one_of("market", (Market.ON_DEMAND.value, Market.SPOT.value))),
        vcpus=row.count("vcpus"),
        memory_gib=row.number("memory_gib", above_zero=True),
        accelerators=_accelerators(row, accelerators),
        price_usd_per_hour=row.number("price_usd_per_hour"),
        price_basis=row.text("price_basis"),
        price_date=row.day("price_date"),
    )


def _accelerators(row: Row, names: AcceleratorNames) -> Accelerators | None:
    if not (name := row.optional("accelerator")):
        if row.optional("accelerator_count"):
            raise row.fault("accelerator", "is empty where a count is given")
        return None
    canonical = names.canonical(name)
    if canonical is None:
        raise row.fault("accelerator", f"'{name}' is not in accelerators.csv")
    return Accelerators(canonical, row.count("accelerator_count"))
