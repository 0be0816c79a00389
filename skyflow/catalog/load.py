"""A catalog: the index of its tables, and what stands beside them, the local machine and the project's own."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from skyflow._util.data_files import data_file
from skyflow.catalog.own import own_offerings, own_regions, with_own_rates
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place, Region, TransferRates
from skyflow.model.config import ProjectConfig

if TYPE_CHECKING:
    from skyflow.catalog.accelerators import AcceleratorNames
    from skyflow.catalog.index import Index
    from skyflow.catalog.tables import Fault

__all__ = ["Catalog", "load_catalog"]

_STAYS = TransferRates(places=(LOCAL_PLACE,), usd_per_gb=((0.0,),), seconds_per_gb=((0.0,),))
"""Data that stays on this machine."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything on sale, and what is known about the places where it stands.

    The tables in `directory` are opened when something is asked that they know: a run on this machine alone does not pay
    for them. `extra` are the offerings that no table has, the local machine's and those of the project's `config`.
    """

    directory: Path
    config: ProjectConfig = ProjectConfig()
    extra: tuple[Offering, ...] = ()

    @cached_property
    def index(self) -> "Index":
        """The tables, ready to be asked."""
        from skyflow.catalog.cache import load_index  # noqa: PLC0415 -- a local run needs none of it

        return load_index(self.directory, self.config.prices, self.config.peerings)

    @cached_property
    def own(self) -> tuple[Offering, ...]:
        """The offerings beside the tables, with canonical names of accelerators."""
        found = (*self.extra, *own_offerings(self.config.pools, self._country_means))
        if not any(offering.accelerators for offering in found):
            return found
        return tuple(self.accelerators.canonically_named(offering) for offering in found)

    @cached_property
    def bundles(self) -> dict[tuple[int, int, float | None], Offering]:
        """What has been bought of offerings so far: by their identity, the number of machines, and the GiB of disk."""
        return {}

    @property
    def offerings(self) -> tuple[Offering, ...]:
        """Every single offering; there are more than a hundred thousand, so ask for candidates if these will do."""
        return (*self.own, *map(self.index.offering, range(len(self.index))))

    @cached_property
    def regions(self) -> Mapping[tuple[str, str], Region]:
        """Every region by (provider, region)."""
        every = (*self.index.regions, *own_regions(self.config.pools, self._unions))
        return {(region.provider, region.region): region for region in every}

    @property
    def accelerators(self) -> "AcceleratorNames":
        """The names of accelerators."""
        return self.index.accelerators

    @property
    def is_open(self) -> bool:
        """Whether anything has been asked that only the tables know."""
        return "index" in self.__dict__

    @property
    def faults(self) -> "tuple[Fault, ...]":
        """The rows of the tables that could not be used."""
        return self.index.faults

    def joined_by(self, *offerings: Offering) -> "Catalog":
        """Return the catalog with further offerings, for example the local machine's, first."""
        return replace(self, extra=(*offerings, *self.extra))

    def rates_between(self, places: Collection[Place]) -> TransferRates:
        """Return what moving data costs and takes between some places.

        Raises:
            CatalogError: no rule covers a pair of places, or nobody knows a place.
        """
        if set(places) == {LOCAL_PLACE}:
            return _STAYS
        return with_own_rates(self.index.rates, places, self.config.pools)

    def grid_of(self, region: str) -> "tuple[str, float] | None":
        """Return the grid of a region of the tables, and its yearly mean in g/kWh; None where nothing is known."""
        for found, carbon in zip(self.index.regions, self.index.header["carbon"], strict=True):
            if found.region == region and carbon is not None:
                return found.grid, carbon[0]
        return None

    def _unions(self, country: str) -> tuple[str, ...]:
        """Return the country and the unions it belongs to, as far as some region lies in it."""
        found = (region.jurisdictions for region in self.index.regions if region.country == country)
        return next(found, (country,) if country else ())

    def _country_means(self, country: str) -> float | None:
        """Return the mean intensity of the regions in a country, in g/kWh."""
        carbon = zip(self.index.regions, self.index.header["carbon"], strict=True)
        found = [cells[0] for region, cells in carbon if cells and region.country == country]
        return sum(found) / len(found) if found else None


def load_catalog(directory: Path | None = None, config: ProjectConfig | None = None) -> Catalog:
    """Return the catalog of a directory of tables; without one, of those that ship with skyflow.

    A row that cannot be used is left out, and among the catalog's faults. `catalogs/SOURCES.md` describes the tables.

    Raises:
        CatalogError: when the tables are first needed, one is missing or has other columns.
    """
    return Catalog(directory=directory or data_file("catalogs"), config=config or ProjectConfig())
