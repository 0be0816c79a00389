"""What moving data costs and takes: rules from `egress.csv` and `network.csv`, applied to pairs of regions.

Of the rules of a table, the first one that fits a pair holds. They are looked up by what they say, not tried one after
the other: there are hundreds of rules, and twenty thousand pairs.
"""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from skyflow.catalog.tables import Table
from skyflow.errors import CatalogError
from skyflow.model.catalog import Place, Region, TransferRates
from skyflow.model.config import Peering

__all__ = ["RegionRates", "region_rates"]

_ANY = "*"
_BITS_PER_BYTE = 8
_UNKNOWN = math.nan


@dataclass(frozen=True, slots=True)
class RegionRates:
    """What a gigabyte costs and takes between every ordered pair of `regions`, row by row.

    Inside of a region, `usd` is the price within a zone and `cross_zone` that between two of them. NaN where no rule
    fits.
    """

    regions: Sequence[Region]
    usd: Sequence[float]
    seconds: Sequence[float]
    cross_zone: Sequence[float]

    def rates(self, places: Iterable[Place]) -> TransferRates:
        """Spread the rates over places: zones, and regions as a whole.

        Raises:
            CatalogError: no rule covers a pair, or a place is in no known region.
        """
        ordered = tuple(sorted(set(places)))
        position = {(region.provider, region.region): index for index, region in enumerate(self.regions)}
        for place in ordered:
            if (place.provider, place.region) not in position:
                raise CatalogError(f"no table says where {place.provider} {place.region} is")
        regions = [position[place.provider, place.region] for place in ordered]
        usd = [self._row(self.usd, source, regions) for source in regions]
        seconds = [self._row(self.seconds, source, regions) for source in regions]
        neighbours: dict[int, list[int]] = {}
        for index, region in enumerate(regions):
            neighbours.setdefault(region, []).append(index)
        for here in neighbours.values():
            for source in here:
                for destination in here:
                    # a machine without a zone can be had in any zone, hence in the other one's
                    if "" not in (zones := {ordered[source].zone, ordered[destination].zone}) and len(zones) > 1:
                        usd[source][destination] = self.cross_zone[regions[source]]
        self._complain(ordered, regions, usd, "price", scope=_egress_scope)
        self._complain(ordered, regions, seconds, "speed", scope=_network_scope)
        return TransferRates(
            places=ordered, usd_per_gb=tuple(map(tuple, usd)), seconds_per_gb=tuple(map(tuple, seconds))
        )

    def _row(self, table: Sequence[float], source: int, regions: Sequence[int]) -> list[float]:
        row = table[source * len(self.regions) : (source + 1) * len(self.regions)]
        return [row[region] for region in regions]

    def _complain(
        self,
        places: Sequence[Place],
        regions: Sequence[int],
        table: list[list[float]],
        what: str,
        scope: Callable[[Region, Region, bool], str],
    ) -> None:
        for source, row in enumerate(table):
            if not math.isnan(sum(row)):
                continue
            destination = next(index for index, value in enumerate(row) if math.isnan(value))
            ends = self.regions[regions[source]], self.regions[regions[destination]]
            far = scope(*ends, places[source].zone != places[destination].zone)
            raise CatalogError(
                f"no {what} is known for data from {ends[0].provider} {ends[0].region} to {ends[1].provider} "
                f"{ends[1].region} ({far})"
            )


def region_rates(
    egress: Table, network: Table, regions: Sequence[Region], peerings: Sequence[Peering] = ()
) -> RegionRates:
    """Apply the rules of both tables, and a project's own lines between providers, to every pair of regions."""
    prices = _Rules.of_egress(egress)
    speeds = _Rules.of_network(network)
    lines = {pair: line for line in peerings for pair in (line.between, line.between[::-1])}
    usd, seconds = array("d"), array("d")
    for source in regions:
        for destination in regions:
            line = lines.get((source.provider, destination.provider))
            scope = _egress_scope(source, destination, False)  # noqa: FBT003
            price = prices.egress(scope, source, destination)
            time = speeds.network(_network_scope(source, destination, False), source, destination)  # noqa: FBT003
            if line is not None and source != destination:
                price = line.usd_per_gb
                time = _BITS_PER_BYTE / line.gbps if line.gbps else time
            usd.append(price)
            seconds.append(time)
    cross_zone = array("d", (prices.egress("cross-zone", region, region) for region in regions))
    return RegionRates(regions, usd, seconds, cross_zone)


class _Rules:
    """Rules by what they say, each with its position in the table and its value."""

    def __init__(self, rules: Iterable[tuple[tuple[str, ...], float]]) -> None:
        self._by_key: dict[tuple[str, ...], tuple[int, float]] = {}
        for position, (key, value) in enumerate(rules):
            self._by_key.setdefault(key, (position, value))

    @classmethod
    def of_egress(cls, table: Table) -> "_Rules":
        rows = table.rows("source_provider", "scope", "source", "destination", "usd_per_gb")
        return cls(
            ((provider, scope, source, destination), usd) for _, provider, scope, source, destination, usd in rows
        )

    @classmethod
    def of_network(cls, table: Table) -> "_Rules":
        rows = table.rows("source_provider", "destination_provider", "scope", "gbps")
        return cls(
            ((source, destination, scope), _BITS_PER_BYTE / gbps) for _, source, destination, scope, gbps in rows
        )

    def egress(self, scope: str, source: Region, destination: Region) -> float:
        return self._first(
            (source.provider, scope, start, end)
            for start in (_ANY, source.region, source.continent)
            for end in (_ANY, destination.region, destination.continent)
        )

    def network(self, scope: str, source: Region, destination: Region) -> float:
        return self._first(
            (start, end, far)
            for start in (_ANY, source.provider)
            for end in (_ANY, destination.provider)
            for far in ("any", scope)
        )

    def _first(self, keys: Iterable[tuple[str, ...]]) -> float:
        found = [self._by_key[key] for key in keys if key in self._by_key]
        return min(found)[1] if found else _UNKNOWN


def _egress_scope(source: Region, destination: Region, zones_differ: bool) -> str:  # noqa: FBT001
    if source.provider != destination.provider:
        return "cross-provider"
    if source.region != destination.region:
        return "cross-region"
    return "cross-zone" if zones_differ else "same-zone"


def _network_scope(source: Region, destination: Region, _: bool) -> str:  # noqa: FBT001
    if source == destination:
        return "same-region"
    return "same-continent" if source.continent == destination.continent else "cross-continent"
