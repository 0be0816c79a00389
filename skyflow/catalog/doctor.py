"""What is wrong or doubtful about a catalog: bad rows, changed files, old prices, odd prices, gaps."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from skyflow.catalog.columns import TABLES
from skyflow.catalog.index import Index
from skyflow.catalog.tables import read_table

__all__ = ["Ailment", "days_of_prices", "examine"]

_OLD_DAYS = 365
"""A price list is taken to be out of date after a year."""


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing about a catalog; with `is_fault`, rows of it cannot be used."""

    text: str
    is_fault: bool = False


def examine(directory: Path, index: Index, *, today: date) -> list[Ailment]:
    """Return all that can be said against a catalog; an empty list is a clean bill.

    Raises:
        CatalogError: the table of tables is there and cannot be read.
    """
    return [*_faults(index), *_changed_tables(directory), *_ages(index, today), *_odd_prices(index), *_gaps(index)]


def days_of_prices(directory: Path) -> dict[str, date]:
    """Return of which day the newest prices of each provider are, as far as the table of tables says.

    Raises:
        CatalogError: that table is there and cannot be read.
    """
    if not (directory / "meta.csv").exists():
        return {}
    rows = read_table(directory, "meta.csv", TABLES["meta.csv"]).rows("table", "as_of")
    return {
        name.removesuffix("/prices.csv"): date.fromisoformat(day)
        for _, name, day in rows
        if name.endswith("/prices.csv")
    }


def _faults(index: Index) -> Iterator[Ailment]:
    for fault in index.faults:
        yield Ailment(f"{fault}; the row is left out", is_fault=True)


def _changed_tables(directory: Path) -> Iterator[Ailment]:
    if not (directory / "meta.csv").exists():
        yield Ailment("meta.csv is missing, so nothing says where the tables come from")
        return
    table = read_table(directory, "meta.csv", TABLES["meta.csv"])
    for fault in table.faults:
        yield Ailment(str(fault), is_fault=True)
    for _, name, checksum in table.rows("table", "sha256"):
        path = directory / name
        if not path.exists():
            yield Ailment(f"{name} is missing, though meta.csv lists it", is_fault=True)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            yield Ailment(f"{name} has been changed since meta.csv was written")


def _ages(index: Index, today: date) -> Iterator[Ailment]:
    oldest: dict[str, Counter[str]] = {}
    for entry in range(len(index)):
        place, _, _ = index.header["shelves"][index.shelf_of[entry]]
        _, day = index.header["sources"][index.sources[entry]]
        oldest.setdefault(index.places[place].provider, Counter())[day] += 1
    for provider, days in sorted(oldest.items()):
        old = sum(number for day, number in days.items() if (today - date.fromisoformat(day)).days > _OLD_DAYS)
        if old:
            share = old / days.total()
            yield Ailment(
                f"{provider}: {share:.0%} of the prices are more than a year old, the oldest of {min(days)}; "
                "`skyflow catalog refresh` fetches new ones"
            )


def _odd_prices(index: Index) -> Iterator[Ailment]:
    listed: dict[tuple[int, int], float] = {}
    dear: Counter[str] = Counter()
    free: Counter[str] = Counter()
    estimated: Counter[str] = Counter()
    for entry in range(len(index)):  # the shelves of one place: on-demand comes before spot
        place, sold, _ = index.header["shelves"][index.shelf_of[entry]]
        provider, number, price = index.places[place].provider, index.types[entry], index.prices[entry]
        if sold == 0:
            listed[place, number] = price
        elif price > listed.get((place, number), price):
            dear[provider] += 1
        free[provider] += price == 0
        estimated[provider] += index.header["sources"][index.sources[entry]][0] == "estimate"
    for counted, text in (
        (dear, "spot prices are above the list price"),
        (free, "prices are zero"),
        (estimated, "prices are our own estimates; plans mark them with ~"),
    ):
        for provider, number in sorted(counted.items()):
            if number:
                yield Ailment(f"{provider}: {number:,} {text}")


def _gaps(index: Index) -> Iterator[Ailment]:
    sold = {index.region_of[place] for place, _, _ in index.header["shelves"]}
    without = [index.regions[number].region for number in sorted(sold) if index.header["carbon"][number] is None]
    if without:
        yield Ailment(f"no carbon intensity is known of {', '.join(without)}")
    powerless = Counter(
        provider
        for provider, watts in zip(index.columns["provider"], index.columns["max_watts"], strict=True)
        if watts is None
    )
    for provider, number in sorted(powerless.items()):
        yield Ailment(f"{provider}: the power of {number} machine types is not known")
