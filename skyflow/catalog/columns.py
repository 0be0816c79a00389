"""What the tables of a catalog look like: their columns as data, which the reader, the JSON Schema and the docs share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

__all__ = ["SHARED", "TABLES", "Column", "TableSpec"]

Parse = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how its cells are read, and what they say.

    `parse` raises `ValueError` with the reason where a cell is wrong. `json` is what JSON Schema says of a cell, as the
    text that it is in the file.
    """

    name: str
    meaning: str
    parse: Parse
    json: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table: what its rows are, and its columns in the order in which skyflow writes them."""

    title: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)


def _text(cell: str) -> str:
    if not cell:
        raise ValueError("is empty")
    return cell


def _number(cell: str) -> float:
    try:
        number = float(_text(cell))
    except ValueError:
        raise ValueError(f"'{cell}' is not a number" if cell else "is empty") from None
    if not isfinite(number) or number < 0:
        raise ValueError(f"'{cell}' is not a number from zero")
    return number


def _amount(cell: str) -> float:
    number = _number(cell)
    if number == 0:
        raise ValueError(f"'{cell}' is not a number above zero")
    return int(number) if number.is_integer() else number


def _count(cell: str) -> int:
    if not (_text(cell).isascii() and cell.isdigit() and int(cell) > 0):
        raise ValueError(f"'{cell}' is not a whole number above zero")
    return int(cell)


def _day(cell: str) -> str:
    try:
        date.fromisoformat(_text(cell))
    except ValueError:
        raise ValueError(f"'{cell}' is not a day; write it as 2026-08-03" if cell else "is empty") from None
    return cell


def _speed(cell: str) -> float:
    return float("inf") if cell == "inf" else _amount(cell)


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word for word in cell.split("|") if word)


def _degrees(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"'{cell}' is not a number") from None


def _or_none(parse: Parse) -> Parse:
    return lambda cell: parse(cell) if cell else None


_DECIMAL = r"^\d+(\.\d+)?([eE][-+]?\d+)?$"


def text(name: str, meaning: str) -> Column:
    """Return a column of words that are never empty."""
    return Column(name, meaning, _text, {"type": "string", "minLength": 1})


def free(name: str, meaning: str) -> Column:
    """Return a column of words that may be empty."""
    return Column(name, meaning, str, {"type": "string"})


def words(name: str, meaning: str) -> Column:
    """Return a column of words separated by `|`."""
    return Column(name, meaning, _words, {"type": "string"})


def number(name: str, meaning: str) -> Column:
    """Return a column of numbers from zero."""
    return Column(name, meaning, _number, {"type": "string", "pattern": _DECIMAL})


def amount(name: str, meaning: str) -> Column:
    """Return a column of numbers above zero."""
    return Column(name, meaning, _amount, {"type": "string", "pattern": _DECIMAL})


def count(name: str, meaning: str) -> Column:
    """Return a column of whole numbers above zero."""
    return Column(name, meaning, _count, {"type": "string", "pattern": r"^\d*[1-9]\d*$"})


def day(name: str, meaning: str) -> Column:
    """Return a column of days."""
    return Column(name, meaning, _day, {"type": "string", "format": "date"})


def one_of(name: str, meaning: str, *allowed: str) -> Column:
    """Return a column of some words only."""

    def parse(cell: str) -> str:
        if cell not in allowed:
            raise ValueError(f"'{cell}' is none of {', '.join(allowed)}" if cell else "is empty")
        return cell

    return Column(name, meaning, parse, {"enum": list(allowed)})


def optional(column: Column) -> Column:
    """Return the same column with cells that may be empty."""
    either = {"anyOf": [{"const": ""}, dict(column.json)]}
    return Column(column.name, column.meaning, _or_none(column.parse), either)


BASES = ("list", "history", "advisor", "estimate")
"""What kind of figure a price can be; `model.catalog.Offering` says what each means."""

TABLES: Mapping[str, TableSpec] = {
    "instance_types.csv": TableSpec(
        "The machine types of one cloud",
        (
            text("instance_type", "The provider's name of the type."),
            count("vcpus", "Virtual CPUs."),
            amount("memory_gib", "Main memory in binary gibibytes."),
            one_of("arch", "The processor architecture.", "x86_64", "arm64"),
            free("cpu_platform", "The processor's generation."),
            optional(text("accelerator", "The canonical name of its accelerators; empty for none.")),
            optional(amount("accelerator_count", "How many; less than one is a slice of a device.")),
            optional(amount("local_ssd_gb", "Gigabytes of disk in the machine itself.")),
            optional(amount("network_gbps", "The most its network card does, in Gbit/s.")),
            words("capabilities", "What else it has: `bare-metal`, `burstable`, `confidential`, `local-ssd`."),
            optional(number("idle_watts", "Power when idle, accelerators included, building excluded.")),
            optional(number("max_watts", "Power at full load.")),
            free("power_basis", "The processor generation that the power is reckoned from."),
            optional(number("embodied_kg", "Its share of what making the server emitted, in kg of CO2-equivalent.")),
            free("source", "Where the sizes come from."),
        ),
    ),
    "prices.csv": TableSpec(
        "What one cloud asks for its machine types, by place",
        (
            text("region", "As in `regions.csv`."),
            free("zone", "Empty where the price holds for the whole region."),
            text("instance_type", "As in `instance_types.csv`."),
            number("usd_per_hour", "US dollars per hour on demand; Linux, shared tenancy, without tax."),
            one_of("basis", "What kind of figure this is.", *BASES),
            day("date", "The day the price was taken."),
            optional(number("spot_usd_per_hour", "The same on the spot market; empty where it is not sold there.")),
            optional(one_of("spot_basis", "What kind of figure the spot price is.", *BASES)),
            optional(day("spot_date", "The day the spot price was taken.")),
            optional(
                one_of("interruption", "0 to 4: below 5, 10, 15, 20 % of spot machines taken back in a month, or above.",
                       "0", "1", "2", "3", "4")
            ),
        ),
    ),
    "regions.csv": TableSpec(
        "The regions of all clouds",
        (
            text("provider", "`aws`, `azure`, `gcp`, or `local`."),
            text("region", "The provider's name of the region."),
            text("name", "What people call it."),
            free("partition", "The part of the cloud that it belongs to; accounts do not reach across."),
            free("continent", "Decides the price of moving data."),
            free("country", "ISO 3166 code, as in `countries.csv`."),
            optional(Column("latitude", "Degrees north.", _degrees, {"type": "string"})),
            optional(Column("longitude", "Degrees east.", _degrees, {"type": "string"})),
            free("grid", "The electricity grid."),
        ),
    ),
    "zones.csv": TableSpec(
        "The zones that have prices of their own",
        (
            text("provider", "As in `regions.csv`."),
            text("region", "As in `regions.csv`."),
            text("zone", "The provider's name of the zone."),
        ),
    ),
    "countries.csv": TableSpec(
        "The countries, and the unions that they belong to",
        (
            text("country", "ISO 3166 code."),
            text("name", "Its name."),
            free("continent", "Where it lies."),
            words("jurisdictions", "The country itself, `EU`, `EEA`, `EU-adequate`."),
        ),
    ),
    "egress.csv": TableSpec(
        "What moving a gigabyte costs; the first row that fits a pair of places holds",
        (
            text("source_provider", "The cloud that the data leaves."),
            one_of("scope", "How far it goes.", "same-zone", "cross-zone", "cross-region", "cross-provider"),
            text("source", "A region, a continent or `*`."),
            text("destination", "A region, a continent or `*`."),
            number("usd_per_gb", "US dollars per decimal gigabyte."),
            free("as_of", "The year of the price."),
            free("basis", "Where it comes from."),
        ),
    ),
    "network.csv": TableSpec(
        "How fast data moves; the first row that fits a pair of places holds",
        (
            text("source_provider", "The cloud that sends, or `*`."),
            text("destination_provider", "The cloud that receives, or `*`."),
            one_of("scope", "How far it goes.", "same-region", "same-continent", "cross-continent", "any"),
            Column("gbps", "Throughput in Gbit/s, or `inf`.", _speed, {"type": "string", "pattern": f"{_DECIMAL}|^inf$"}),
            free("as_of", "The year of the measurement."),
            free("basis", "Where it comes from."),
        ),
    ),
    "carbon.csv": TableSpec(
        "How clean the power of each region is",
        (
            text("provider", "As in `regions.csv`."),
            text("region", "As in `regions.csv`."),
            number("gco2_per_kwh", "Grams of CO2-equivalent per kWh from the grid, mean of a year."),
            free("year", "The year of the mean."),
            one_of(
                "basis", "`official`: the provider's figure; `same-grid`: another provider's, on the same grid; `country`: "
                "the country's mean; `live`: fetched; `estimate`: ours.",
                "official", "same-grid", "country", "live", "estimate",
            ),
            amount("pue", "Power usage effectiveness: power of the building over power of its computers."),
            free("pue_basis", "Where that comes from."),
            optional(number("carbon_free_share", "Share of hours' power from carbon-free sources, by the provider.")),
        ),
    ),
    "carbon_profiles.csv": TableSpec(
        "How the intensity of a grid changes over the day and the year",
        (
            text("grid", "As in `regions.csv`."),
            count("month", "1 to 12."),
            Column("hour", "Hour of the day in UTC, 0 to 23.", lambda cell: int(_number(cell)), {"type": "string"}),
            number("factor", "The intensity then, as a share of the yearly mean."),
            one_of("basis", "`trace`: the means of measured hours; `estimate`: ours.", "trace", "estimate"),
        ),
    ),
    "accelerators.csv": TableSpec(
        "The names of accelerators, and what one device draws and does",
        (
            text("name", "The canonical name."),
            text("vendor", "Who makes it."),
            text("kind", "`gpu`, `tpu`, `npu`, `hpu`, `fpga` or `vpu`."),
            optional(amount("memory_gib", "Memory of one device.")),
            optional(number("idle_watts", "Power when idle.")),
            optional(number("max_watts", "Power at full load.")),
            optional(number("fp16_tflops", "The most it does: trillions of 16-bit operations per second, dense. Estimates by `flops` need it.")),
            free("year", "When it came out."),
            words("aliases", "What else it is called, separated by `|`; case is ignored."),
        ),
    ),
    "meta.csv": TableSpec(
        "Where each table comes from",
        (
            text("table", "Its path."),
            text("source", "Where its rows come from."),
            day("as_of", "How new its newest rows are."),
            count("rows", "How many rows it has."),
            text("sha256", "The checksum of the file."),
        ),
    ),
}  # fmt: skip
"""Every table by its file name; `instance_types.csv` and `prices.csv` are in a folder for each cloud."""

SHARED = tuple(name for name in TABLES if name not in {"instance_types.csv", "prices.csv"})
"""The tables that all clouds share."""
