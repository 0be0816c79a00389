"""What a cloud has just refused, and so is not asked for again for a while: how far that reaches, and how old it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from skyflow.model.catalog import Offering, Place, family_of
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.market import Market

__all__ = ["BLOCKING", "Block", "block_after"]

_LASTS = {
    FailureKind.CAPACITY: timedelta(minutes=15),
    FailureKind.QUOTA: timedelta(hours=6),
    FailureKind.NOT_OFFERED: timedelta(days=1),
    FailureKind.UNUSABLE: timedelta(hours=6),
}
"""Capacity comes and goes within minutes; people raise quotas, and prepare places; what is on offer hardly ever changes."""
BLOCKING = frozenset(_LASTS)
"""The failures after which a machine is asked for elsewhere."""
_OF_ONE_TYPE = frozenset({FailureKind.CAPACITY, FailureKind.NOT_OFFERED})
_OF_ALL_MARKETS = frozenset({FailureKind.NOT_OFFERED, FailureKind.UNUSABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Machines that are not to be had: of one type, of one family, or all with or without accelerators.

    `market` is None for all markets, `region` is empty for the whole provider, `zone` for the whole region. `instance_type` or `family` say which machines;
    with neither, `is_accelerated` does.
    """

    provider: str
    region: str
    zone: str
    market: Market | None
    instance_type: str = ""
    family: str = ""
    is_accelerated: bool = False
    ends_at: datetime

    def reaches(self, place: Place, market: Market) -> bool:
        """Tell whether it is about a place and a market: about a whole region if `place` is one."""
        return (
            self.provider == place.provider
            and self.market in {None, market}
            and self.region in {"", place.region}
            and (not self.zone or self.zone == place.zone)
        )

    def is_about(self, instance_type: str, *, is_accelerated: bool) -> bool:
        """Tell whether it is about a type of machine."""
        if self.instance_type:
            return instance_type == self.instance_type
        if self.family:
            return family_of(instance_type) == self.family
        return is_accelerated == self.is_accelerated

    def covers(self, offering: Offering) -> bool:
        """Tell whether an offering is not to be had."""
        is_accelerated = offering.accelerators is not None
        return self.reaches(offering.place, offering.market) and self.is_about(
            offering.instance_type, is_accelerated=is_accelerated
        )


def block_after(offering: Offering, kind: FailureKind, scope: Scope, at: datetime) -> Block:
    """Return what follows from a refusal: a lack of capacity is about one type, a quota about many, a place about all.

    Where a whole region was asked for, its cloud has tried every zone. A quota on plain machines is taken to be one on all
    of them there, for AWS counts nearly all families together; one on accelerators to be about the family, or if it is one
    of the whole cloud, about all that have accelerators. A place that cannot be used is one for all with or all without accelerators, for their
    images differ.

    Raises:
        KeyError: the failure is none of `BLOCKING`.
    """
    is_quota = kind is FailureKind.QUOTA
    is_everywhere = scope is Scope.CLOUD
    is_accelerated = offering.accelerators is not None
    by_family = is_quota and is_accelerated and not is_everywhere
    return Block(
        provider=offering.provider,
        region="" if is_everywhere else offering.region,
        zone=offering.zone if scope is Scope.ZONE else "",
        market=None if kind in _OF_ALL_MARKETS else offering.market,
        instance_type=offering.instance_type if kind in _OF_ONE_TYPE else "",
        family=offering.family if by_family else "",
        is_accelerated=is_accelerated,
        ends_at=at + _LASTS[kind],
    )
