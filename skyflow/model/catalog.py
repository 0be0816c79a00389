"""What the catalogs sell, where it stands, and what it costs and takes to move data between places."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from skyflow.model.resources import Accelerators, Market

__all__ = ["LOCAL_PLACE", "Offering", "Place", "Region", "TransferRates"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where data can be: a region of a provider, or one zone of it.

    `zone` is empty where an offering holds for the whole region; such a machine can be had in any of its zones.
    """

    provider: str
    region: str
    zone: str = ""

    @property
    def name(self) -> str:
        """The shortest name that says where: the zone if there is one, else the region."""
        return self.zone or self.region


LOCAL_PLACE = Place("local", "local")
"""Where the machine that skyflow itself runs on stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One region of a provider.

    `country` is an ISO 3166 code; `jurisdiction` is `EU` for the members of the European Union, else the country.
    """

    provider: str
    region: str
    name: str
    continent: str
    country: str
    jurisdiction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """One line of a catalog: a machine type at one place, in one market, at one price.

    `zone` is empty where the price holds for the whole region. `price_basis` says what kind of figure the price is
    (`list`: the provider's own price list; `advisor`: the list price less the average saving that the provider's spot
    advisor reports; `own`: a machine that costs nothing more to use) and `price_date` the day it was taken, None
    where no date applies.
    """

    provider: str
    region: str
    zone: str = ""
    instance_type: str
    market: Market
    vcpus: int
    memory_gib: float
    accelerators: Accelerators | None = None
    price_usd_per_hour: float
    price_basis: str
    price_date: date | None = None

    @property
    def place(self) -> Place:
        """Where the machine stands."""
        return Place(self.provider, self.region, self.zone)

    @property
    def id(self) -> str:
        """The name of this line, unique within a catalog: `aws/us-east-1/m6i.xlarge/spot`."""
        return f"{self.provider}/{self.zone or self.region}/{self.instance_type}/{self.market}"

    @property
    def family(self) -> str:
        """The kind of machine without its size: `m6i` of `m6i.xlarge`, `n2` of `n2-standard-8`; empty if it has none."""
        head = self.instance_type.partition(".")[0]
        return head if head != self.instance_type else self.instance_type.partition("-")[0]

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form, as in `schemas/plan.schema.json`."""
        return {
            "provider": self.provider,
            "region": self.region,
            "zone": self.zone or None,
            "instance_type": self.instance_type,
            "market": self.market.value,
            "vcpus": self.vcpus,
            "memory_gib": self.memory_gib,
            "accelerators": (
                {"name": self.accelerators.name, "count": self.accelerators.count} if self.accelerators else None
            ),
            "price_usd_per_hour": self.price_usd_per_hour,
            "price_basis": self.price_basis,
            "price_date": self.price_date.isoformat() if self.price_date else None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Offering":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
            TypeError: a field has another type.
            ValueError: a field has a value that is not one of its own.
        """
        accelerators = data["accelerators"]
        day = data["price_date"]
        return cls(
            provider=data["provider"],
            region=data["region"],
            zone=data["zone"] or "",
            instance_type=data["instance_type"],
            market=Market(data["market"]),
            vcpus=data["vcpus"],
            memory_gib=data["memory_gib"],
            accelerators=Accelerators(accelerators["name"], accelerators["count"]) if accelerators else None,
            price_usd_per_hour=data["price_usd_per_hour"],
            price_basis=data["price_basis"],
            price_date=date.fromisoformat(day) if day else None,
        )


@dataclass(frozen=True, kw_only=True)
class TransferRates:
    """What moving one decimal gigabyte costs and takes, for every ordered pair of `places`.

    Both tables are indexed [source][destination] in the order of `places`.
    """

    places: tuple[Place, ...]
    usd_per_gb: tuple[tuple[float, ...], ...]
    seconds_per_gb: tuple[tuple[float, ...], ...]

    @cached_property
    def index(self) -> dict[Place, int]:
        """The row and column of each place."""
        return {place: position for position, place in enumerate(self.places)}
