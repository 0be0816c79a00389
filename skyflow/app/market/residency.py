"""Where jobs may run: jurisdictions, countries, providers and regions."""

from collections.abc import Collection, Mapping

from skyflow._util.text import did_you_mean
from skyflow.errors import UsageError
from skyflow.model.catalog import Place, Region
from skyflow.model.planning import PlanSpec
from skyflow.model.resources import LOCAL, PROVIDERS

__all__ = ["is_resident", "refuse_unknown_places"]

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


def refuse_unknown_places(plan: PlanSpec, regions: _Regions) -> None:
    """Refuse what `plan.residency` of a workflow names although no table knows it.

    Raises:
        UsageError: it names such a place; the message says where.
    """
    for place, said_at in zip(plan.residency, plan.residency_said_at, strict=True):
        if (hint := _hint_if_unknown(place, regions)) is not None:
            what = f"'plan.residency' names '{place}', which is no jurisdiction, country, provider or region"
            raise UsageError(f"{said_at}: {what}", hint=hint)


def _hint_if_unknown(name: str, regions: _Regions) -> str | None:
    known = {*PROVIDERS}
    for region in regions.values():
        known |= {*region.jurisdictions, region.country, region.region, f"{region.provider}/{region.region}"}
    known.discard("")
    if name.lower() in {one.lower() for one in known}:
        return None
    return did_you_mean(name, sorted(known)) or "for example EU, DE, aws or aws/eu-west-1"
