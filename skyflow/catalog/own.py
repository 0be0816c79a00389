"""The machines that a project declares in its `skyflow.yml`, as offerings at places of their own."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from skyflow.catalog.transfers import RegionRates
from skyflow.model.catalog import LOCAL_PLACE, Offering, Place, Region, TransferRates
from skyflow.model.config import OwnPool
from skyflow.model.footprint import Footprint
from skyflow.model.resources import OWN, Market

__all__ = ["own_offerings", "own_regions", "with_own_rates"]

_OWN_PUE = 1.58
"""The mean of the world's data centres by the Uptime Institute's survey; those of the clouds do better."""
_BITS_PER_BYTE = 8
_INSIDE_GBPS = 10.0
"""What a machine's network card is taken to do inside of a pool."""


def own_offerings(pools: Iterable[OwnPool], country_mean: Callable[[str], float | None]) -> tuple[Offering, ...]:
    """Return the offering of each pool; it is one place, and has as many machines as the pool says.

    Where a machine runs several jobs at once, price and footprint are those of one job: its share of the machine.
    """
    return tuple(
        Offering(
            provider=OWN,
            region=pool.name,
            instance_type=pool.name,
            market=Market.ON_DEMAND,
            vcpus=pool.vcpus,
            memory_gib=pool.memory_gib,
            accelerators=pool.accelerators,
            price_usd_per_hour=pool.price_usd_per_hour / pool.slots,
            price_basis="own",
            arch=pool.arch,
            capabilities=pool.capabilities,
            capacity=pool.count,
            disk_gib=pool.disk_gib,
            footprint=_footprint(pool, country_mean),
        )
        for pool in pools
    )


def _footprint(pool: OwnPool, country_mean: Callable[[str], float | None]) -> Footprint | None:
    if pool.idle_watts is None or pool.max_watts is None:
        return None
    grams = pool.gco2_per_kwh
    if grams is None:
        grams = country_mean(pool.country) if pool.country else None
    if grams is None:
        return None
    pue = pool.pue or _OWN_PUE
    whole = Footprint(idle_watts=pool.idle_watts, max_watts=pool.max_watts, pue=pue, gco2_per_kwh=grams)
    return whole.times(1 / pool.slots)


def own_regions(pools: Iterable[OwnPool], unions: Callable[[str], tuple[str, ...]]) -> tuple[Region, ...]:
    """Return the place of each pool as a region."""
    return tuple(
        Region(
            provider=OWN,
            region=pool.name,
            name=pool.name,
            country=pool.country,
            jurisdictions=pool.jurisdictions or unions(pool.country),
        )
        for pool in pools
    )


def with_own_rates(rates: RegionRates, places: Iterable[Place], pools: Sequence[OwnPool]) -> TransferRates:
    """Return the rates between places of the tables and places of pools.

    To and from a pool, data moves over the pool's line. What leaves a cloud for a pool costs what it costs to this
    machine: it leaves to the internet.

    Raises:
        CatalogError: no rule covers a pair of places.
    """
    wanted = set(places)
    known = {pool.name: pool for pool in pools}
    own = {place: known[place.region] for place in wanted if place.provider == OWN and place.region in known}
    if not own:
        return rates.rates(wanted)
    base = rates.rates((wanted - own.keys()) | {LOCAL_PLACE})
    ordered = tuple(sorted(wanted))
    usd = [[_usd(base, own, source, destination) for destination in ordered] for source in ordered]
    seconds = [[_seconds(base, own, source, destination) for destination in ordered] for source in ordered]
    return TransferRates(places=ordered, usd_per_gb=tuple(map(tuple, usd)), seconds_per_gb=tuple(map(tuple, seconds)))


def _usd(base: TransferRates, own: Mapping[Place, OwnPool], source: Place, destination: Place) -> float:
    if source == destination:
        return 0.0
    if source in own:
        return own[source].egress_usd_per_gb
    return base.usd_per_gb[base.index[source]][base.index[LOCAL_PLACE if destination in own else destination]]


def _seconds(base: TransferRates, own: Mapping[Place, OwnPool], source: Place, destination: Place) -> float:
    lines = [own[end].uplink_gbps for end in (source, destination) if end in own]
    if not lines:
        return base.seconds_per_gb[base.index[source]][base.index[destination]]
    return _BITS_PER_BYTE / (_INSIDE_GBPS if source == destination else min(lines))
