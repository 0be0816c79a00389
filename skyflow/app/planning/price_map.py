"""Price against carbon, region by region: the cheapest machine of each that does what is asked for."""

from skyflow.app.market.catalog import Filters, list_offerings
from skyflow.catalog import Catalog
from skyflow.model.catalog import Offering
from skyflow.model.region_offer import RegionOffer

__all__ = ["price_map"]

_SECONDS_PER_HOUR = 3600.0


def price_map(catalog: Catalog, filters: Filters) -> tuple[RegionOffer, ...]:
    """Return the cheapest machine of every region that passes the filters, cheapest first.

    Raises:
        UsageError: a filter cannot be read.
        NoCandidateError: nothing passes, or a filter names what nobody knows.
    """
    listing = list_offerings(catalog, filters)
    cheapest: dict[tuple[str, str], Offering] = {}
    for offering in listing.offerings:
        key = (offering.provider, offering.region)
        if key not in cheapest or offering.price_usd_per_hour < cheapest[key].price_usd_per_hour:
            cheapest[key] = offering
    ordered = sorted(cheapest.values(), key=lambda one: (one.price_usd_per_hour, one.id))
    found: list[RegionOffer] = []
    cleanest: float | None = None
    for offering in ordered:
        grams = None if offering.footprint is None else offering.footprint.gco2e(_SECONDS_PER_HOUR)
        is_cleaner = grams is not None and (cleanest is None or grams < cleanest)
        cleanest = grams if is_cleaner else cleanest
        region = listing.regions.get((offering.provider, offering.region))
        found.append(RegionOffer(offering=offering, region=region, grams_per_hour=grams, is_undominated=is_cleaner))
    return tuple(found)
