"""What a cloud has just refused, and so is not asked for again for a while: how far that reaches, and how old it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from skyflow.model.catalog import Offering, Place, family_of
from skyflow.model.machines import FailureKind, Scope
from skyflow.model.market import Market

__all__ = ["BLOCKING", "OF_THE_CLOUD", "Block", "block_after"]

_LASTS = {
    FailureKind.CAPACITY: timedelta(minutes=15),
    FailureKind.QUOTA: timedelta(hours=6),
    FailureKind.NOT_OFFERED: timedelta(days=1),
    FailureKind.NO_IMAGE: timedelta(hours=6),
    FailureKind.UNUSABLE: timedelta(hours=6),
}
"""Capacity comes and goes within minutes; people raise quotas, and prepare places; what is on offer hardly ever changes."""
BLOCKING = frozenset(_LASTS)
"""The failures after which a machine is asked for elsewhere."""
OF_THE_CLOUD = frozenset({FailureKind.CAPACITY, FailureKind.NOT_OFFERED})
"""What nobody but the cloud can change. The other failures somebody may have mended before the next run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Machines that are not to be had since `at`: of one type, of one family, or all with or without accelerators.

    `market` is None for all markets, `region` is empty for the whole provider, `zone` for the whole region.
    `instance_type` or `family` say which machines; with neither `is_accelerated` and `arch` do, as far as they say anything.
    `image` is what a job has to start from to be concerned: empty for those that do not name one, None for all.
    """

    kind: FailureKind
    at: datetime
    provider: str
    region: str
    zone: str
    market: Market | None = None
    instance_type: str = ""
    family: str = ""
    is_accelerated: bool | None = None
    arch: str = ""
    image: str | None = None

    @property
    def ends_at(self) -> datetime:
        """When the machines may be asked for again."""
        return self.at + _LASTS[self.kind]

    def reaches(self, place: Place, market: Market) -> bool:
        """Tell whether it is about a place and a market: about a whole region if `place` is one."""
        return (
            self.provider == place.provider
            and self.market in {None, market}
            and self.region in {"", place.region}
            and (not self.zone or self.zone == place.zone)
        )

    def is_about(self, instance_type: str, *, is_accelerated: bool, arch: str) -> bool:
        """Tell whether it is about a type of machine."""
        if self.instance_type:
            return instance_type == self.instance_type
        if self.family:
            return family_of(instance_type) == self.family
        return self.is_accelerated in {None, is_accelerated} and self.arch in {"", arch}

    def concerns(self, image: str | None) -> bool:
        """Tell whether it concerns a job that starts from an image, None for the usual one."""
        return self.image in {None, image or ""}

    def covers(self, offering: Offering, *, image: str | None) -> bool:
        """Tell whether an offering is not to be had for a job that starts from an image, None for the usual one.

        Of several machines together, it is enough if one is not to be had.
        """
        markets = {offering.market, *([Market.ON_DEMAND] if offering.on_demand_nodes else [])}
        return (
            self.concerns(image)
            and any(self.reaches(offering.place, market) for market in markets)
            and self.is_about(
                offering.instance_type, is_accelerated=offering.accelerators is not None, arch=offering.arch
            )
        )


def block_after(
    offering: Offering, kind: FailureKind, scope: Scope, at: datetime, *, image: str | None = None
) -> Block:
    """Return what follows from a refusal: a lack of capacity is about one type, a quota about many, a place about all.

    Where a whole region was asked for, its cloud has tried every zone. A quota on plain machines is taken to be one on all
    of them there, for AWS counts nearly all families together; one on accelerators to be about the family, or if it is one
    of the whole cloud, about all that have accelerators. An `image` that is missing is so for the jobs that name it; where
    none was named, it is the usual one for such a processor, with or without accelerators. A place that cannot be used is
    one for all with or all without accelerators, and where an image was named for those who name it, for that may be why.

    Raises:
        KeyError: the failure is none of `BLOCKING`.
    """
    is_everywhere, is_accelerated = scope is Scope.CLOUD, offering.accelerators is not None
    by_family = is_accelerated and not is_everywhere
    all_alike = {"is_accelerated": is_accelerated}
    about: Mapping[FailureKind, Mapping[str, Any]] = {
        FailureKind.CAPACITY: {"market": offering.market, "instance_type": offering.instance_type},
        FailureKind.NOT_OFFERED: {"instance_type": offering.instance_type},
        FailureKind.QUOTA: {"market": offering.market, **({"family": offering.family} if by_family else all_alike)},
        FailureKind.NO_IMAGE: {"image": image} if image else {"image": "", "arch": offering.arch, **all_alike},
        FailureKind.UNUSABLE: {"image": image, **all_alike},
    }
    return Block(
        kind=kind,
        at=at,
        provider=offering.provider,
        region="" if is_everywhere else offering.region,
        zone=offering.zone if scope is Scope.ZONE else "",
        **about[kind],
    )
