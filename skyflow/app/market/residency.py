"""Where jobs may run: jurisdictions, countries, providers and regions."""

from collections.abc import Collection, Mapping

from skyflow._util.text import did_you_mean
from skyflow.model.catalog import Place, Region
from skyflow.model.resources import LOCAL, PROVIDERS

__all__ = ["is_resident", "unknown_place"]

_Regions = Mapping[tuple[str, str], Region]


def is_resident(place: Place, allowed: Collection[str], regions: _Regions) -> bool:
    """Tell whether a place is in one of those allowed, or whether none are named."""
    if not allowed:
        return True
    wanted = {name.lower() for name in allowed}
    if place.provider == LOCAL:  # nobody knows in which country this machine stands
        return LOCAL in wanted
    region = regions[place.provider, place.region]
    here = (region.country, place.provider, place.region, f"{place.provider}/{place.region}")
    names = (*region.jurisdictions, *here)
    return any(name.lower() in wanted for name in names if name)


def unknown_place(name: str, regions: _Regions) -> str | None:
    """Return a hint if no table knows a place of this name, else None."""
    known = {*PROVIDERS}
    for region in regions.values():
        known |= {*region.jurisdictions, region.country, region.region, f"{region.provider}/{region.region}"}
    known.discard("")
    if name.lower() in {one.lower() for one in known}:
        return None
    return did_you_mean(name, sorted(known)) or "for example EU, DE, aws or aws/eu-west-1"
