"""The index of a catalog: what `build` laid out, as sets of machine types, shelves, and offerings made when asked for."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import compress, count
from typing import TYPE_CHECKING, Any

from skyflow.catalog.accelerators import AcceleratorNames
from skyflow.catalog.build import MARKETS, TYPE_COLUMNS
from skyflow.catalog.tables import Fault
from skyflow.catalog.transfers import RegionRates
from skyflow.model.carbon import CarbonProfile
from skyflow.model.catalog import Offering, Place, Region
from skyflow.model.footprint import Footprint
from skyflow.model.resources import Accelerators, Market

if TYPE_CHECKING:
    from skyflow.catalog.front import OfferingColumns

__all__ = ["INTERRUPTION", "Index", "Types"]

Types = frozenset[int]
"""Machine types, by their numbers in the index."""

INTERRUPTION: Mapping[str, float] = {"0": 0.025, "1": 0.075, "2": 0.125, "3": 0.175, "4": 0.25}
"""The middle of each bucket of the AWS Spot advisor: the share of spot machines taken back within a month; of the last
one, which is open, a cautious guess."""

_FEW = 60
"""Of up to so many types every offering is looked at; where there are more, the shelves are walked."""
_GRAMS_PER_KG = 1000
_SERVICE_HOURS = 4 * 365 * 24
"""A server is taken to serve four years."""


class Index:
    """One catalog, ready to be asked."""

    def __init__(self, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        self.header = header
        names = ("provider", *TYPE_COLUMNS)
        self.columns: dict[str, list[Any]] = dict(zip(names, header["types"] or [[] for _ in names], strict=True))
        self.prices, self.types, self.sources = arrays["price"], arrays["type"], arrays["source"]
        self.shelf_of, self.shelf_start = arrays["shelf"], arrays["shelf_start"]
        self._of_type, self._type_start = arrays["of_type"], arrays["type_start"]
        self._arrays = arrays
        self._sets: dict[Hashable, Types] = {}
        self._groups: dict[str, dict[Hashable, Types]] = {}
        self._shelf_lists: dict[Hashable, tuple[int, ...]] = {}
        self._offerings: dict[int, Offering] = {}
        self._footprints: dict[tuple[int, int], Footprint | None] = {}

    def __len__(self) -> int:
        """Return the number of offerings."""
        return len(self.types)

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Every region."""
        return tuple(
            Region(
                provider=cells[0], region=cells[1], name=cells[2], continent=cells[3], country=cells[4],
                partition=cells[5], grid=cells[6], jurisdictions=tuple(cells[7]),
            )
            for cells in self.header["regions"]
        )  # fmt: skip

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Every place that something is sold at."""
        return tuple(Place(*cells) for cells in self.header["places"])

    @cached_property
    def region_of(self) -> tuple[int, ...]:
        """The number of the region of each place."""
        numbers = {(region.provider, region.region): number for number, region in enumerate(self.regions)}
        return tuple(numbers[place.provider, place.region] for place in self.places)

    @cached_property
    def accelerators(self) -> AcceleratorNames:
        """The names of accelerators."""
        return AcceleratorNames(*self.header["accelerators"])

    @cached_property
    def rates(self) -> RegionRates:
        """What moving data costs and takes."""
        arrays = self._arrays
        return RegionRates(self.regions, arrays["usd"], arrays["seconds"], arrays["cross_zone"])

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The rows that could not be used."""
        return tuple(Fault(*cells) for cells in self.header["faults"])

    def profile(self, grid: str, mean: float) -> CarbonProfile | None:
        """Return the hourly profile of a grid with a yearly mean, or None where none is known."""
        start = self.header["profiles"].get(grid)
        return None if start is None else CarbonProfile(mean, tuple(self._arrays["profile"][start : start + 12 * 24]))

    # ------------------------------------------------------------------------------------- sets of types, shelves

    def types_where(self, column: str, key: Hashable, fits: Callable[[Any], bool]) -> Types:
        """Return the types whose cell of a column fits; the same key always means the same question."""
        asked = (column, key)
        if asked not in self._sets:
            groups = self._grouped(column)
            self._sets[asked] = frozenset().union(*(types for value, types in groups.items() if fits(value)))
        return self._sets[asked]

    def types_of(self, questions: Sequence[tuple[str, Hashable, Callable[[Any], bool]]]) -> Types:
        """Return the types that pass several questions; the same keys always mean the same questions."""
        asked = tuple((column, key) for column, key, _ in questions)
        if asked not in self._sets:
            sets = [self.types_where(*question) for question in questions]
            self._sets[asked] = frozenset.intersection(*sorted(sets, key=len))
        return self._sets[asked]

    def _grouped(self, column: str) -> dict[Hashable, Types]:
        if column not in self._groups:
            groups: dict[Hashable, list[int]] = {}
            for number, value in enumerate(self._values(column)):
                groups.setdefault(value, []).append(number)
            self._groups[column] = {value: frozenset(numbers) for value, numbers in groups.items()}
        return self._groups[column]

    def _values(self, column: str) -> Iterable[Hashable]:
        if column == "device":
            return zip(self.columns["accelerator"], self.columns["accelerator_count"], strict=True)
        if column == "capabilities":
            return map(frozenset, self.columns["capabilities"])
        return self.columns[column]

    def shelves_where(
        self, key: Hashable, fits: Callable[[Place, Region], bool], market: Market | None
    ) -> tuple[int, ...]:
        """Return the shelves at places that fit, in one market or in both, those of whole regions first.

        The same key means the same question.
        """
        asked = (key, market)
        if asked not in self._shelf_lists:
            right = [fits(place, self.regions[self.region_of[number]]) for number, place in enumerate(self.places)]
            found = [
                number
                for number, (place, sold, _) in enumerate(self.header["shelves"])
                if right[place] and market in (None, MARKETS[sold])
            ]
            self._shelf_lists[asked] = tuple(sorted(found, key=lambda number: self._spans[number][4]))
        return self._shelf_lists[asked]

    def shelf(self, number: int) -> tuple[Place, Market]:
        """Return where the offerings of a shelf are, and in which market."""
        place, sold, _ = self.header["shelves"][number]
        return self.places[place], MARKETS[sold]

    # -------------------------------------------------------------------------------------------------- looking

    def cheapest(self, types: Types, shelves: tuple[int, ...]) -> list[int]:
        """Return the first offering of the types on each of the shelves, where there is one.

        What stands in one zone is left out where the region as a whole, on one of the shelves too, has something for no
        more: a machine that can be had in any zone can be had in that one, and moves data as cheaply.
        """
        if len(types) <= _FEW:
            return self._without_beaten_zones(self._cheapest_of_few(types, frozenset(shelves)))
        prices, kinds, spans = self.prices, self.types, self._spans
        has, floors = types.__contains__, self._floors(types)
        found = []
        least: dict[int, float] = {}
        for shelf in shelves:  # those of whole regions come first
            first, end, seller, group, is_zone = spans[shelf]
            # nothing wanted is cheaper than the floor, so the walk begins there
            start = bisect_left(prices, floors[seller], first, end)
            if is_zone and group in least:
                end = bisect_left(prices, least[group], start, end)
            if start < end:
                for entry in compress(count(start), map(has, kinds[start:end])):
                    found.append(entry)
                    if not is_zone:
                        least[group] = prices[entry]
                    break
        return found

    def _cheapest_of_few(self, types: Types, shelves: frozenset[int]) -> list[int]:
        best: dict[int, int] = {}
        for entry in self.every(types, shelves):
            shelf = self.shelf_of[entry]
            if entry < best.get(shelf, len(self)):
                best[shelf] = entry
        return list(best.values())

    def _without_beaten_zones(self, entries: list[int]) -> list[int]:
        spans = [self._spans[self.shelf_of[entry]] for entry in entries]
        least = {span[3]: self.prices[entry] for entry, span in zip(entries, spans, strict=True) if not span[4]}
        return [
            entry
            for entry, span in zip(entries, spans, strict=True)
            if not span[4] or self.prices[entry] < least.get(span[3], float("inf"))
        ]

    @cached_property
    def _spans(self) -> list[tuple[int, int, int, int, bool]]:
        """Of each shelf: where it starts and ends, its seller, its group, and whether it is of one zone.

        The seller is the number of provider and market in the header's `orders`; shelves of one region, market and risk
        are a group.
        """
        numbers = {(provider, sold): number for number, (provider, sold, _, _) in enumerate(self.header["orders"])}
        groups: dict[tuple[int, int, str], int] = {}
        starts = self.shelf_start
        found = []
        for number, (place, sold, risk) in enumerate(self.header["shelves"]):
            seller = numbers[self.places[place].provider, sold]
            group = groups.setdefault((self.region_of[place], sold, risk), len(groups))
            found.append((starts[number], starts[number + 1], seller, group, bool(self.places[place].zone)))
        return found

    def _floors(self, types: Types) -> list[float]:
        """Return the lowest price of the types anywhere, of each seller; infinite where it has none of them."""
        order, prices = self._arrays["cheap_type"], self._arrays["cheap_price"]
        floors = []
        for _, _, start, end in self.header["orders"]:
            first = next(compress(count(start), map(types.__contains__, order[start:end])), None)
            floors.append(float("inf") if first is None else prices[first])
        return floors

    @cached_property
    def by_column(self) -> "OfferingColumns":
        """The offerings, to be looked through whole columns at once."""
        from skyflow.catalog.front import OfferingColumns  # noqa: PLC0415 -- imports numpy, which few questions need

        return OfferingColumns(
            prices=self.prices,
            types=self.types,
            shelf_of=self.shelf_of,
            shelves=len(self.header["shelves"]),
            watts=self.watts,
        )

    def every(self, types: Types, shelves: frozenset[int]) -> Iterator[int]:
        """Yield every offering of the types on the shelves."""
        for number in types:
            for entry in self._of_type[self._type_start[number] : self._type_start[number + 1]]:
                if self.shelf_of[entry] in shelves:
                    yield entry

    def any_of_each(self, types: Types, shelves: frozenset[int]) -> Iterator[int]:
        """Yield one offering of each of the types that is on one of the shelves."""
        shelf_of, starts = self.shelf_of, self._type_start
        for number in types:
            for entry in self._of_type[starts[number] : starts[number + 1]]:
                if shelf_of[entry] in shelves:
                    yield entry
                    break

    @cached_property
    def watts(self) -> list[float]:
        """The power of each type at half load; infinite where it is not known."""
        ends = zip(self.columns["idle_watts"], self.columns["max_watts"], strict=True)
        return [float("inf") if idle is None or full is None else (idle + full) / 2 for idle, full in ends]

    # ------------------------------------------------------------------------------------------------ offerings

    def made(self, offerings: Iterable[Offering]) -> dict[int, Offering]:
        """Return those of some offerings that come from here, by their numbers."""
        numbers = {id(offering): entry for entry, offering in self._offerings.items()}
        return {numbers[id(one)]: one for one in offerings if id(one) in numbers}

    def on_demand_beside(self, entry: int) -> int | None:
        """Return the offering of the same type on demand, in the zone of another one, or else anywhere in its region."""
        number, (place, _) = self.types[entry], self.shelf(self.shelf_of[entry])
        found = None
        for other in self._of_type[self._type_start[number] : self._type_start[number + 1]]:
            where, market = self.shelf(self.shelf_of[other])
            if market is Market.ON_DEMAND and (where.provider, where.region) == (place.provider, place.region):
                if where.zone == place.zone:
                    return int(other)
                if not where.zone:
                    found = int(other)
        return found

    def offering(self, entry: int) -> Offering:
        """Return one offering."""
        if entry not in self._offerings:
            number = self.types[entry]
            place, sold, risk = self.header["shelves"][self.shelf_of[entry]]
            where = self.places[place]
            basis, day = self.header["sources"][self.sources[entry]]
            columns = self.columns
            device = columns["accelerator"][number]
            self._offerings[entry] = Offering(
                provider=where.provider,
                region=where.region,
                zone=where.zone,
                instance_type=columns["instance_type"][number],
                market=MARKETS[sold],
                vcpus=columns["vcpus"][number],
                memory_gib=columns["memory_gib"][number],
                accelerators=Accelerators(device, columns["accelerator_count"][number]) if device else None,
                price_usd_per_hour=self.prices[entry],
                price_basis=basis,
                price_date=date.fromisoformat(day),
                arch=columns["arch"][number],
                capabilities=frozenset(columns["capabilities"][number]),
                interruption=INTERRUPTION.get(risk),
                footprint=self._footprint(number, self.region_of[place]),
            )
        return self._offerings[entry]

    def id_of(self, entry: int) -> str:
        """Return the id of one offering, as `Offering.id` says it."""
        place, sold, _ = self.header["shelves"][self.shelf_of[entry]]
        where = self.places[place]
        name = self.columns["instance_type"][self.types[entry]]
        return f"{where.provider}/{where.name}/{name}/{MARKETS[sold]}"

    def _footprint(self, number: int, region: int) -> Footprint | None:
        if (number, region) not in self._footprints:
            idle, full = self.columns["idle_watts"][number], self.columns["max_watts"][number]
            carbon = self.header["carbon"][region]
            embodied = self.columns["embodied_kg"][number] or 0.0
            self._footprints[number, region] = (
                None
                if carbon is None or idle is None or full is None
                else Footprint(
                    idle_watts=idle,
                    max_watts=full,
                    pue=carbon[1],
                    gco2_per_kwh=carbon[0],
                    embodied_g_per_hour=round(embodied * _GRAMS_PER_KG / _SERVICE_HOURS, 4),
                    grid=self.regions[region].grid,
                )
            )
        return self._footprints[number, region]
