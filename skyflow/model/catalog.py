"""What the catalogs sell, where it stands, and what it costs and takes to move data between places."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from math import log1p
from typing import Any

from skyflow.model.footprint import Footprint
from skyflow.model.resources import Accelerators, Market

__all__ = ["LOCAL_PLACE", "Offering", "Place", "Region", "TransferRates", "family_of"]


_HOURS_PER_MONTH = 730.0
_NEARLY_ALL = 0.999


def family_of(instance_type: str) -> str:
    """Return the kind of machine without its size: `m6i` of `m6i.xlarge`, `n2` of `n2-standard-8`; empty if it has none."""
    head = instance_type.partition(".")[0]
    return head if head != instance_type else instance_type.partition("-")[0]


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

    `country` is an ISO 3166 code. `jurisdictions` are the country and the unions that it belongs to: `EU`, `EEA`, and
    `EU-adequate` where the European Commission has found personal data to be as safe as at home. `partition` is a part
    of the provider's cloud that shares accounts; `grid` the electricity grid.
    """

    provider: str
    region: str
    name: str = ""
    continent: str = ""
    country: str = ""
    partition: str = ""
    grid: str = ""
    jurisdictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """One line of a catalog: a machine type at one place, in one market, at one price.

    `zone` is empty where the price holds for the whole region. `price_basis` says what kind of figure the price is
    (`list`: the provider's own price list; `history`: spot prices that were paid; `advisor`: the list price less the
    average saving that the provider's spot advisor reports; `estimate`: our own; `own`: what the project says its
    machines cost; with a comma and the name of an agreement behind it where the project pays less than that) and `price_date` the day it was taken, None where no date applies.

    `nodes` machines are meant together: price and footprint are those of all of them, the sizes those of one. Of spot
    machines, the first `on_demand_nodes` are bought on demand, each for `on_demand_usd_per_hour`.
    `interruption` is the share of spot machines that the provider takes back within a month, where it says so, and
    `capacity` how many such machines there are at most, `disk_gib` how large their disk is; None for as much as is asked. `capabilities` are from `resources.CAPABILITIES`.
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
    arch: str = ""
    capabilities: frozenset[str] = frozenset()
    nodes: int = 1
    capacity: int | None = None
    interruption: float | None = None
    footprint: Footprint | None = None
    disk_gib: float | None = None
    on_demand_nodes: int = 0
    on_demand_usd_per_hour: float = 0.0

    @property
    def is_estimated(self) -> bool:
        """Whether nobody has published this price: it is our own estimate."""
        return self.price_basis.partition(",")[0] == "estimate"

    @property
    def interruptions_per_hour(self) -> float:
        """How often one such spot machine is taken back, by the provider's own figure; 0 where there is none."""
        if self.market is not Market.SPOT or self.interruption is None:
            return 0.0
        return -log1p(-min(self.interruption, _NEARLY_ALL)) / _HOURS_PER_MONTH

    @property
    def place(self) -> Place:
        """Where the machine stands."""
        return Place(self.provider, self.region, self.zone)

    @property
    def id(self) -> str:
        """The name of this line, unique within a catalog: `aws/us-east-1/m6i.xlarge/spot`."""
        return f"{self.provider}/{self.zone or self.region}/{self.instance_type}/{self.market}"

    @property
    def spot_nodes(self) -> int:
        """How many of the machines may be taken away."""
        return self.nodes - self.on_demand_nodes if self.market is Market.SPOT else 0

    @property
    def market_note(self) -> str:
        """What people have to know of how the machines are bought: `spot`, `spot, 1 on demand`, or nothing."""
        if self.market is not Market.SPOT:
            return ""
        return f"spot, {self.on_demand_nodes} on demand" if self.on_demand_nodes else "spot"

    def machine(self, rank: int, *, zone: str = "") -> "Offering":
        """Return one of the machines that are meant together, in a zone where the offering names none."""
        of_demand = rank < self.on_demand_nodes
        spot_usd = self.price_usd_per_hour - self.on_demand_nodes * self.on_demand_usd_per_hour
        return replace(
            self,
            zone=self.zone or zone,
            market=Market.ON_DEMAND if of_demand else self.market,
            price_usd_per_hour=(
                self.on_demand_usd_per_hour if of_demand else spot_usd / (self.nodes - self.on_demand_nodes)
            ),
            interruption=None if of_demand else self.interruption,
            footprint=self.footprint and self.footprint.times(1 / self.nodes),
            nodes=1,
            on_demand_nodes=0,
            on_demand_usd_per_hour=0.0,
        )

    @property
    def family(self) -> str:
        """The kind of machine without its size: `m6i` of `m6i.xlarge`, `n2` of `n2-standard-8`; empty if it has none."""
        return family_of(self.instance_type)

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
            "arch": self.arch or None,
            "capabilities": sorted(self.capabilities),
            "nodes": self.nodes,
            "on_demand_nodes": self.on_demand_nodes,
            "on_demand_usd_per_hour": self.on_demand_usd_per_hour if self.on_demand_nodes else None,
            "capacity": self.capacity,
            "interruption": self.interruption,
            "footprint": self.footprint.to_json() if self.footprint else None,
            "disk_gib": self.disk_gib,
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
        footprint = data.get("footprint")
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
            arch=data.get("arch") or "",
            capabilities=frozenset(data.get("capabilities", ())),
            nodes=data.get("nodes", 1),
            on_demand_nodes=data.get("on_demand_nodes", 0),
            on_demand_usd_per_hour=data.get("on_demand_usd_per_hour") or 0.0,
            capacity=data.get("capacity"),
            interruption=data.get("interruption"),
            footprint=Footprint.from_json(footprint) if footprint else None,
            disk_gib=data.get("disk_gib"),
        )


@dataclass(frozen=True, kw_only=True)
class TransferRates:
    """What moving one decimal gigabyte costs and takes, for every ordered pair of `places`.

    Both tables are indexed [source][destination] in the order of `places`, and then of `outside`: the same places once
    more, for data that no job hands on, where that goes another way.
    """

    places: tuple[Place, ...]
    usd_per_gb: tuple[tuple[float, ...], ...]
    seconds_per_gb: tuple[tuple[float, ...], ...]
    outside: tuple[Place, ...] = ()

    @cached_property
    def index(self) -> dict[Place, int]:
        """The row and column of each place."""
        return {place: position for position, place in enumerate(self.places)}

    @cached_property
    def outside_index(self) -> dict[Place, int]:
        """The row and column of each place for data that no job hands on."""
        return {**self.index, **{place: len(self.places) + number for number, place in enumerate(self.outside)}}
