"""From the tables of a directory to the index: what is looked up often, laid out so that looking is cheap.

Offerings stand on shelves: a shelf holds what one place sells in one market at one risk of interruption, the cheapest
first, then what draws least power, then by name. The first machine on a shelf that a job accepts is the only one of the
shelf that a cheapest plan can use.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skyflow.catalog.accelerators import AcceleratorNames, accelerator_names
from skyflow.catalog.columns import SHARED, TABLES
from skyflow.catalog.doubt import least_believable
from skyflow.catalog.tables import Fault, Table, read_table
from skyflow.catalog.transfers import region_rates
from skyflow.errors import CatalogError
from skyflow.model.catalog import Region
from skyflow.model.config import Peering, PriceRule, rule_for
from skyflow.model.footprint import DEFAULT_UTILIZATION
from skyflow.model.resources import Market

__all__ = ["MARKETS", "TYPE_COLUMNS", "build_index", "price_lists"]

MARKETS = (Market.ON_DEMAND, Market.SPOT)
"""The markets in the order in which the index numbers them."""

TYPE_COLUMNS = (
    "instance_type", "vcpus", "memory_gib", "arch", "accelerator", "accelerator_count", "local_ssd_gb", "capabilities",
    "idle_watts", "max_watts", "embodied_kg",
)  # fmt: skip
"""The columns of `instance_types.csv` that the index keeps."""

_MONTHS, _HOURS = 12, 24


@dataclass(slots=True)
class _Building:
    """What is collected while the price lists are read."""

    accelerators: AcceleratorNames
    regions: dict[tuple[str, str], int]
    rules: Sequence[PriceRule]
    faults: list[Fault] = field(default_factory=list)
    types: list[tuple[Any, ...]] = field(default_factory=list)
    places: dict[tuple[str, str, str], int] = field(default_factory=dict)
    sources: dict[tuple[str, str], int] = field(default_factory=dict)
    shelves: dict[tuple[int, int, str], list[tuple[float, float, int, int]]] = field(default_factory=dict)


def price_lists(directory: Path) -> list[str]:
    """Return the providers that a directory has a price list of."""
    return sorted(path.parent.name for path in directory.glob("*/prices.csv"))


def build_index(
    directory: Path, rules: Sequence[PriceRule] = (), peerings: Sequence[Peering] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read all tables of a directory and lay them out, with a project's own prices instead of the listed ones.

    Raises:
        CatalogError: a table is missing, has other columns, or there is no price list.
    """
    tables = {name: read_table(directory, name, TABLES[name]) for name in SHARED if name != "meta.csv"}
    accelerators = accelerator_names(tables["accelerators.csv"])
    regions = _regions(tables["regions.csv"], tables["countries.csv"])
    position = {(region.provider, region.region): index for index, region in enumerate(regions)}
    providers = price_lists(directory)
    if not providers:
        raise CatalogError(f"{directory} holds no price list")
    building = _Building(accelerators, position, rules)
    for provider in providers:
        types = read_table(directory, f"{provider}/instance_types.csv", TABLES["instance_types.csv"])
        prices = read_table(directory, f"{provider}/prices.csv", TABLES["prices.csv"])
        numbers = _types(building, provider, types)
        _prices(building, provider, prices, numbers)
        building.faults += types.faults + prices.faults
    rates = region_rates(tables["egress.csv"], tables["network.csv"], regions, peerings)
    header, arrays = _laid_out(building)
    header["regions"] = [_region_cells(region) for region in regions]
    header["carbon"] = _carbon(tables["carbon.csv"], position)
    header["accelerators"] = [accelerators.by_name, accelerators.kinds, accelerators.peaks]
    header["profiles"], profiles = _profiles(tables["carbon_profiles.csv"])
    for table in tables.values():
        building.faults += table.faults
    header["faults"] = [[fault.table, fault.line, fault.column, fault.reason] for fault in sorted(building.faults)]
    arrays |= {"usd": rates.usd, "seconds": rates.seconds, "cross_zone": rates.cross_zone, "profile": profiles}
    return header, arrays


def _regions(table: Table, countries: Table) -> list[Region]:
    unions = {country: words for _, country, words in countries.rows("country", "jurisdictions")}
    found: dict[tuple[str, str], Region] = {}
    names = ("provider", "region", "name", "partition", "continent", "country", "grid")
    for line, provider, region, name, partition, continent, country, grid in table.rows(*names):
        if (provider, region) in found:
            table.fault(line, "region", f"'{region}' of {provider} is there twice")
        elif country and country not in unions:
            table.fault(line, "country", f"'{country}' is not in countries.csv")
        else:
            found[provider, region] = Region(
                provider=provider, region=region, name=name, continent=continent, country=country,
                partition=partition, grid=grid, jurisdictions=unions.get(country, ()),
            )  # fmt: skip
    return list(found.values())


def _region_cells(region: Region) -> list[Any]:
    return [
        region.provider, region.region, region.name, region.continent, region.country, region.partition, region.grid,
        list(region.jurisdictions),
    ]  # fmt: skip


def _types(building: _Building, provider: str, table: Table) -> dict[str, int]:
    """Number the machine types of one provider, in the order of their names."""
    names = building.accelerators
    found: dict[str, tuple[Any, ...]] = {}
    for line, *cells in table.rows(*TYPE_COLUMNS):
        name, _, _, _, accelerator, count = cells[:6]
        if name in found:
            table.fault(line, "instance_type", f"'{name}' is there twice")
        elif accelerator and (canonical := names.canonical(accelerator)) is None:
            table.fault(line, "accelerator", f"'{accelerator}' is not in accelerators.csv")
        elif bool(accelerator) != bool(count):
            table.fault(line, "accelerator" if count else "accelerator_count", "is empty where the other is given")
        else:
            canonical = names.canonical(accelerator) if accelerator else None
            able = sorted({*cells[7], *(names.capabilities(canonical) if canonical else ())})
            found[name] = (provider, name, *cells[1:4], canonical, count, cells[6], able, *cells[8:])
    numbers = {}
    for name in sorted(found):
        numbers[name] = len(building.types)
        building.types.append(found[name])
    return numbers


def _prices(building: _Building, provider: str, table: Table, numbers: dict[str, int]) -> None:
    """Put the prices of one provider on their shelves."""
    seen: set[tuple[str, str, str]] = set()
    draws = {number: _mean_watts(building.types[number]) for number in numbers.values()}
    columns = (
        "region", "zone", "instance_type", "usd_per_hour", "basis", "date", "spot_usd_per_hour", "spot_basis",
        "spot_date", "interruption",
    )  # fmt: skip
    least = _least_believable(table)
    for line, region, zone, name, usd, basis, day, spot_usd, spot_basis, spot_day, risk in table.rows(*columns):
        number = numbers.get(name)
        key = (region, zone, name)
        if number is None:
            table.fault(line, "instance_type", f"'{name}' is not in {provider}/instance_types.csv")
        elif (provider, region) not in building.regions:
            table.fault(line, "region", f"'{region}' of {provider} is not in regions.csv")
        elif key in seen:
            table.fault(line, "instance_type", f"{provider}/{zone or region}/{name} is there twice")
        elif spot_usd is not None and not (spot_basis and spot_day):
            table.fault(line, "spot_basis", "is empty, or spot_date is, where a spot price is given")
        elif usd < least[name] and not _is_agreed(building, provider, region, name):
            reason = f"is taken for a mistake: it is less than a fifth of what '{name}' costs elsewhere"
            table.fault(line, "usd_per_hour", f"${usd:g} {reason}")
        else:
            seen.add(key)
            where = (provider, region, zone)
            _shelve(building, where, 0, "", (number, usd, basis, day, draws[number]))
            if spot_usd is not None:
                _shelve(building, where, 1, risk or "", (number, spot_usd, spot_basis, spot_day, draws[number]))


def _least_believable(table: Table) -> dict[str, float]:
    """Return, of each machine type, the list price below which a row is doubted."""
    listed: dict[str, list[float]] = {}
    for _, name, usd in table.rows("instance_type", "usd_per_hour"):
        listed.setdefault(name, []).append(usd)
    return {name: least_believable(prices) for name, prices in listed.items()}


def _is_agreed(building: _Building, provider: str, region: str, name: str) -> bool:
    """Tell whether a project states what a machine type costs there, whatever the list says."""
    rule = rule_for(building.rules, provider, region, name, Market.ON_DEMAND) if building.rules else None
    return rule is not None and rule.usd_per_hour is not None


def _shelve(
    building: _Building, where: tuple[str, str, str], market: int, risk: str, entry: tuple[int, float, str, str, float]
) -> None:
    number, usd, basis, day, watts = entry
    if building.rules:
        rule = rule_for(building.rules, where[0], where[1], building.types[number][1], MARKETS[market])
        if rule is not None:
            usd = rule.price(usd)
            # so much per cent less than an estimate is an estimate still
            basis = f"{basis}, {rule.why or 'reduced'}" if rule.usd_per_hour is None else rule.why or "agreed"
    place = building.places.setdefault(where, len(building.places))
    source = building.sources.setdefault((basis, day), len(building.sources))
    building.shelves.setdefault((place, market, risk), []).append((usd, watts, number, source))


def _mean_watts(row: tuple[Any, ...]) -> float:
    idle, full = row[9:11]
    return float("inf") if idle is None or full is None else idle + (full - idle) * DEFAULT_UTILIZATION


def _laid_out(building: _Building) -> tuple[dict[str, Any], dict[str, Any]]:
    types, prices, sources, shelves, starts = array("I"), array("d"), array("I"), array("I"), array("I", [0])
    for number, shelf in enumerate(sorted(building.shelves)):
        entries = sorted(building.shelves[shelf])
        types.extend(entry[2] for entry in entries)
        prices.extend(entry[0] for entry in entries)
        sources.extend(entry[3] for entry in entries)
        shelves.extend([number] * len(entries))
        starts.append(len(types))
    of_type = array("I", sorted(range(len(types)), key=types.__getitem__))
    type_starts = array("I", [0] * (len(building.types) + 1))
    for number in types:
        type_starts[number + 1] += 1
    for number in range(len(building.types)):
        type_starts[number + 1] += type_starts[number]
    orders, cheap_types, cheap_prices = _cheapest_first(building)
    header = {
        "orders": orders,
        "types": [list(column) for column in zip(*building.types, strict=True)],
        "places": [list(place) for place in building.places],
        "shelves": [list(shelf) for shelf in sorted(building.shelves)],
        "sources": [list(source) for source in building.sources],
    }
    return header, {
        "price": prices, "type": types, "source": sources, "shelf": shelves, "shelf_start": starts,
        "of_type": of_type, "type_start": type_starts, "cheap_type": cheap_types, "cheap_price": cheap_prices,
    }  # fmt: skip


def _cheapest_first(building: _Building) -> tuple[list[list[Any]], "array[int]", "array[float]"]:
    """Return, of each provider and market, its types by their lowest price anywhere: no shelf has them for less."""
    providers = [provider for provider, _, _ in building.places]
    lowest: dict[tuple[str, int], dict[int, float]] = {}
    for (place, market, _), entries in building.shelves.items():
        so_far = lowest.setdefault((providers[place], market), {})
        for usd, _, number, _ in entries:
            if usd < so_far.get(number, float("inf")):
                so_far[number] = usd
    orders, types, prices = [], array("I"), array("d")
    for (provider, market), of_type in sorted(lowest.items()):
        start = len(types)
        for number, usd in sorted(of_type.items(), key=lambda item: (item[1], item[0])):
            types.append(number)
            prices.append(usd)
        orders.append([provider, market, start, len(types)])
    return orders, types, prices


def _carbon(table: Table, position: dict[tuple[str, str], int]) -> list[list[Any] | None]:
    """Return grams per kWh, PUE and basis of every region, in the order of the regions."""
    found: list[list[Any] | None] = [None] * len(position)
    for line, provider, region, grams, pue, basis in table.rows("provider", "region", "gco2_per_kwh", "pue", "basis"):
        if (provider, region) in position:
            found[position[provider, region]] = [grams, pue, basis]
        else:
            table.fault(line, "region", f"'{region}' of {provider} is not in regions.csv")
    return found


def _profiles(table: Table) -> tuple[dict[str, int], "array[float]"]:
    """Return where the 12 times 24 factors of each grid start, and all factors."""
    starts: dict[str, int] = {}
    factors = array("d")
    for line, grid, month, hour, factor in table.rows("grid", "month", "hour", "factor"):
        if month > _MONTHS or hour >= _HOURS:
            table.fault(line, "month", f"there is no hour {hour} of month {month}")
            continue
        if grid not in starts:
            starts[grid] = len(factors)
            factors.extend([1.0] * (_MONTHS * _HOURS))
        factors[starts[grid] + (month - 1) * _HOURS + hour] = factor
    return starts, factors
