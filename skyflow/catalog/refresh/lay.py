"""Laying quotes over the tables in use, and writing the result."""

import csv
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skyflow.catalog.columns import TABLES
from skyflow.catalog.refresh.quotes import GridFigures, Quote
from skyflow.errors import CatalogError
from skyflow.model.resources import Market

__all__ = ["Laid", "lay_grids", "lay_prices", "write_meta"]

_HOURS = 24
Cells = dict[str, str]
Where = tuple[str, str, str]


@dataclass(slots=True)
class Laid:
    """What became of the quotes for one cloud: how many rows they set, and which types and regions no table knows."""

    used: int = 0
    unknown_types: set[str] = field(default_factory=set)
    unknown_regions: set[str] = field(default_factory=set)


def lay_prices(directory: Path, provider: str, quotes: Iterable[Quote], *, whole_regions: Collection[str]) -> Laid:
    """Rewrite a cloud's `prices.csv` with new prices.

    In `whole_regions` the quotes are all there is: a row without one goes, a quote without a row becomes one. Elsewhere
    quotes only change rows that are there, in every zone of the region; a price that was not quoted stays as it was.

    Raises:
        CatalogError: a table cannot be read.
    """
    path = directory / provider / "prices.csv"
    columns = TABLES["prices.csv"].names
    rows: dict[Where, Cells] = {}
    by_region: dict[tuple[str, str], list[Where]] = {}
    for cells in _read(path):
        where = (cells["region"], cells["zone"], cells["instance_type"])
        rows[where] = cells
        by_region.setdefault((where[0], where[2]), []).append(where)
    types = {cells["instance_type"] for cells in _read(directory / provider / "instance_types.csv")}
    regions = {cells["region"] for cells in _read(directory / "regions.csv") if cells["provider"] == provider}
    laid, quoted = Laid(), set[tuple[str, str, Market]]()
    for quote in quotes:
        if quote.instance_type not in types:
            laid.unknown_types.add(quote.instance_type)
        elif quote.region not in regions:
            laid.unknown_regions.add(quote.region)
        else:
            key = (quote.region, quote.instance_type)
            if key not in by_region and quote.region in whole_regions:
                by_region[key] = [(quote.region, "", quote.instance_type)]
                rows[by_region[key][0]] = dict.fromkeys(columns, "") | {
                    "region": quote.region, "instance_type": quote.instance_type,
                }  # fmt: skip
            for where in by_region.get(key, ()):
                _put(rows[where], quote)
                laid.used += 1
            quoted.add((*key, quote.market))
    kept = _kept(rows, quoted, whole_regions)
    _write(path, columns, [kept[where] for where in sorted(kept)])
    return laid


def lay_grids(directory: Path, figures: Sequence[GridFigures], *, year: int) -> None:
    """Rewrite the carbon of the grids that were measured, and their profiles.

    Raises:
        CatalogError: a table cannot be read.
    """
    measured = {one.grid: one for one in figures}
    grids = {(cells["provider"], cells["region"]): cells["grid"] for cells in _read(directory / "regions.csv")}
    carbon = list(_read(directory / "carbon.csv"))
    for cells in carbon:
        found = measured.get(grids.get((cells["provider"], cells["region"]), ""))
        if found is not None:
            cells |= {"gco2_per_kwh": f"{found.mean:.2f}", "year": str(year), "basis": "live"}
    _write(directory / "carbon.csv", TABLES["carbon.csv"].names, carbon)
    profiles = [cells for cells in _read(directory / "carbon_profiles.csv") if cells["grid"] not in measured]
    for one in figures:
        for slot, factor in enumerate(one.factors):
            month, hour = slot // _HOURS + 1, slot % _HOURS
            profiles.append(
                {"grid": one.grid, "month": str(month), "hour": str(hour), "factor": f"{factor:.3f}", "basis": "trace"}
            )
    profiles.sort(key=lambda cells: (cells["grid"], int(cells["month"]), int(cells["hour"])))
    _write(directory / "carbon_profiles.csv", TABLES["carbon_profiles.csv"].names, profiles)


def write_meta(directory: Path, sources: Mapping[str, str], *, day: str) -> None:
    """Bring `meta.csv` up to date: lengths and checksums of all tables, source and day of those that are new.

    Raises:
        CatalogError: a table cannot be read.
    """
    rows = []
    for cells in _read(directory / "meta.csv"):
        content = (directory / cells["table"]).read_bytes()
        if cells["table"] in sources:
            cells |= {"source": sources[cells["table"]], "as_of": day}
        cells |= {"rows": str(content.count(b"\n") - 1), "sha256": hashlib.sha256(content).hexdigest()}
        rows.append(cells)
    _write(directory / "meta.csv", TABLES["meta.csv"].names, rows)


def _put(cells: Cells, quote: Quote) -> None:
    price = f"{quote.usd_per_hour:.6f}".rstrip("0").rstrip(".")
    prefix = "spot_" if quote.market is Market.SPOT else ""
    cells |= {f"{prefix}usd_per_hour": price, f"{prefix}basis": quote.basis, f"{prefix}date": quote.day}


def _kept(
    rows: Mapping[Where, Cells], quoted: Collection[tuple[str, str, Market]], whole_regions: Collection[str]
) -> dict[Where, Cells]:
    """Leave out what is no longer sold; a machine without a list price is not sold."""
    kept = {}
    for where, cells in rows.items():
        region, _, name = where
        if region in whole_regions:
            if (region, name, Market.ON_DEMAND) not in quoted:
                continue
            if (region, name, Market.SPOT) not in quoted:
                cells |= {"spot_usd_per_hour": "", "spot_basis": "", "spot_date": ""}
        kept[where] = cells
    return kept


def _read(path: Path) -> Iterable[Cells]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogError(f"{path}: {error}") from error


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
