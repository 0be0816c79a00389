"""What a job buys together: one machine or several of a kind, of spot machines perhaps some on demand."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from skyflow.catalog.load import Catalog
from skyflow.model.blocks import Block
from skyflow.model.catalog import Offering
from skyflow.model.resources import RENTED, Market, Requirements

__all__ = ["bundled", "is_mixed", "mixed_bundles", "unbeaten_bundles"]


def is_mixed(requirements: Requirements) -> bool:
    """Tell whether some of the machines are to be on demand where the others are not."""
    return requirements.min_on_demand > 0 and requirements.market is not Market.ON_DEMAND


def bundled(offering: Offering, catalog: Catalog, requirements: Requirements) -> Offering:
    """Return as many machines of one of the catalog's offerings as a job has, each with the price of the disk that is asked for.

    The project says what disks cost; where it does not, they cost nothing. What several jobs buy alike is one and the same.
    """
    if requirements.nodes == 1 and requirements.disk_gib is None:
        return offering
    disk = None if requirements.disk_gib is None else requirements.disk_gib.minimum
    key = id(offering), requirements.nodes, disk
    if key not in catalog.bundles:
        catalog.bundles[key] = _together(_equipped(offering, catalog, requirements), requirements.nodes)
    return catalog.bundles[key]


def mixed_bundles(
    entries: Iterable[int], catalog: Catalog, requirements: Requirements, blocks: Collection[Block]
) -> Iterator[Offering]:
    """Yield the bundles of some offerings, by their numbers in the index, of which enough machines are on demand.

    Left out is what is sold as spot only, and of what blocks the machines on demand.
    """
    index, nodes, share = catalog.index, requirements.nodes, requirements.min_on_demand
    for entry in entries:
        one = _equipped(index.offering(entry), catalog, requirements)
        if one.market is Market.SPOT:
            beside = index.on_demand_beside(entry)
            if beside is None:
                continue
            firm = _equipped(index.offering(beside), catalog, requirements)
            usd = share * firm.price_usd_per_hour + (nodes - share) * one.price_usd_per_hour
            bundle = _together(firm, nodes)
            if share < nodes:
                bundle = replace(
                    _together(one, nodes),
                    price_usd_per_hour=usd,
                    on_demand_nodes=share,
                    on_demand_usd_per_hour=firm.price_usd_per_hour,
                )
        else:
            bundle = _together(one, nodes)
        if not any(block.covers(bundle, image=requirements.image) for block in blocks):
            yield bundle


def unbeaten_bundles(
    bundles: Iterable[Offering], seconds: Callable[[Offering], float] | None, *, by_power: bool
) -> Iterator[Offering]:
    """Yield the bundles that no other one at the same place, in the same market, at the same risk beats.

    What counts is dollars for the job and time, and with `by_power` energy. `seconds` is how long the job takes on a type of
    machine, None for the same time on all.
    """
    kept: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    times: dict[str, float] = {}

    def figures(bundle: Offering) -> tuple[float, float, float]:
        kind = f"{bundle.provider}/{bundle.instance_type}"
        if kind not in times:
            times[kind] = 1.0 if seconds is None else seconds(bundle)
        watts = bundle.footprint.watts() if bundle.footprint is not None else float("inf")
        return bundle.price_usd_per_hour * times[kind], times[kind], watts * times[kind] if by_power else 0.0

    for bundle in sorted({one.id: one for one in bundles}.values(), key=lambda one: (*figures(one), one.id)):
        _, time, energy = figures(bundle)
        others = kept.setdefault((bundle.place, bundle.market, bundle.interruption), [])
        if not any(other[0] <= time and other[1] <= energy for other in others):
            others.append((time, energy))
            yield bundle


def _equipped(offering: Offering, catalog: Catalog, requirements: Requirements) -> Offering:
    if requirements.disk_gib is None or offering.provider not in RENTED:
        return offering
    usd = catalog.config.disk_usd_per_hour(offering.provider, requirements.disk_gib.minimum)
    return replace(offering, price_usd_per_hour=offering.price_usd_per_hour + usd) if usd else offering


def _together(offering: Offering, nodes: int) -> Offering:
    if nodes == 1:
        return offering
    footprint = offering.footprint.times(nodes) if offering.footprint else None
    price = offering.price_usd_per_hour * nodes
    return replace(offering, nodes=nodes, price_usd_per_hour=price, footprint=footprint)
