"""What moving data costs and takes: rules from `egress.csv` and `network.csv`, applied to pairs of places."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from skyflow.catalog.tables import read_table
from skyflow.errors import CatalogError
from skyflow.model.catalog import Place, Region, TransferRates

__all__ = ["TransferRules", "read_transfer_rules"]

_ANY = "*"
_BITS_PER_BYTE = 8


@dataclass(frozen=True, slots=True)
class _EgressRule:
    provider: str
    scope: str
    source: str
    destination: str
    usd_per_gb: float

    def fits(self, scope: str, source: Region, destination: Region) -> bool:
        return (
            self.provider == source.provider
            and self.scope == scope
            and self.source in (_ANY, source.region, source.continent)
            and self.destination in (_ANY, destination.region, destination.continent)
        )


@dataclass(frozen=True, slots=True)
class _NetworkRule:
    source_provider: str
    destination_provider: str
    scope: str
    seconds_per_gb: float

    def fits(self, scope: str, source: Region, destination: Region) -> bool:
        return (
            self.source_provider in (_ANY, source.provider)
            and self.destination_provider in (_ANY, destination.provider)
            and self.scope in ("any", scope)
        )


@dataclass(frozen=True, slots=True)
class TransferRules:
    """The rules of both tables, in order; of each, the first one that fits a pair of places holds."""

    egress: tuple[_EgressRule, ...]
    network: tuple[_NetworkRule, ...]

    def rates(self, places: Iterable[Place], regions: Mapping[tuple[str, str], Region]) -> TransferRates:
        """Apply the rules to every ordered pair of some places.

        Raises:
            CatalogError: no rule fits a pair, or a place is in no known region.
        """
        ordered = tuple(sorted(set(places)))
        for place in ordered:
            if (place.provider, place.region) not in regions:
                raise CatalogError(f"no table says where {place.provider} {place.region} is")
        # what a pair costs depends on its regions and on whether the zones differ, not on which zones they are
        known: dict[tuple[Region, Region, bool], tuple[float, float]] = {}

        def rate(source: Place, destination: Place) -> tuple[float, float]:
            # a machine without a zone can be had in any zone, hence in the other one's
            zones_differ = "" not in (source.zone, destination.zone) and source.zone != destination.zone
            key = (
                regions[source.provider, source.region],
                regions[destination.provider, destination.region],
                zones_differ,
            )
            if key not in known:
                known[key] = (self._usd_per_gb(*key), self._seconds_per_gb(*key[:2]))
            return known[key]

        table = [[rate(source, destination) for destination in ordered] for source in ordered]
        return TransferRates(
            places=ordered,
            usd_per_gb=tuple(tuple(usd for usd, _ in row) for row in table),
            seconds_per_gb=tuple(tuple(seconds for _, seconds in row) for row in table),
        )

    def _usd_per_gb(self, source: Region, destination: Region, zones_differ: bool) -> float:  # noqa: FBT001
        if source.provider != destination.provider:
            scope = "cross-provider"
        elif source.region != destination.region:
            scope = "cross-region"
        else:
            scope = "cross-zone" if zones_differ else "same-zone"
        for rule in self.egress:
            if rule.fits(scope, source, destination):
                return rule.usd_per_gb
        raise CatalogError(f"no price is known for data {_route(source, destination)} ({scope})")

    def _seconds_per_gb(self, source: Region, destination: Region) -> float:
        if source == destination:
            scope = "same-region"
        else:
            scope = "same-continent" if source.continent == destination.continent else "cross-continent"
        for rule in self.network:
            if rule.fits(scope, source, destination):
                return rule.seconds_per_gb
        raise CatalogError(f"no speed is known for data {_route(source, destination)} ({scope})")


def read_transfer_rules(egress: Path, network: Path) -> TransferRules:
    """Read `egress.csv` and `network.csv`.

    Raises:
        CatalogError: one of them is faulty.
    """
    return TransferRules(egress=tuple(_read_egress(egress)), network=tuple(_read_network(network)))


def _read_egress(path: Path) -> Iterator[_EgressRule]:
    columns = ("source_provider", "scope", "source", "destination", "usd_per_gb", "as_of", "basis")
    for row in read_table(path, columns):
        yield _EgressRule(
            provider=row.text("source_provider"),
            scope=row.one_of("scope", ("same-zone", "cross-zone", "cross-region", "cross-provider")),
            source=row.text("source"),
            destination=row.text("destination"),
            usd_per_gb=row.number("usd_per_gb"),
        )


def _read_network(path: Path) -> Iterator[_NetworkRule]:
    columns = ("source_provider", "destination_provider", "scope", "gbps", "as_of", "basis")
    for row in read_table(path, columns):
        is_instant = row.optional("gbps") == "inf"
        yield _NetworkRule(
            source_provider=row.text("source_provider"),
            destination_provider=row.text("destination_provider"),
            scope=row.one_of("scope", ("same-region", "same-continent", "cross-continent", "any")),
            seconds_per_gb=0.0 if is_instant else _BITS_PER_BYTE / row.number("gbps", above_zero=True),
        )


def _route(source: Region, destination: Region) -> str:
    return f"from {source.provider} {source.region} to {destination.provider} {destination.region}"
