"""Offerings as rows for programs: CSV and JSON."""

import csv
import io
from collections.abc import Iterable, Mapping

from skyflow.model.availability import Availability
from skyflow.model.catalog import Offering, Region

__all__ = ["CATALOG_COLUMNS", "catalog_csv", "catalog_row"]

CATALOG_COLUMNS = (
    "id", "provider", "region", "zone", "country", "instance_type", "market", "vcpus", "memory_gib", "arch", "accelerator",
    "accelerator_count", "capabilities", "price_usd_per_hour", "price_basis", "price_date", "interruption",
    "kwh_per_hour", "gco2e_per_hour", "availability",
)  # fmt: skip
"""What is said of an offering, in this order."""

_HOUR = 3600.0


def catalog_row(
    offering: Offering, regions: Mapping[tuple[str, str], Region], seen: Mapping[str, Availability] | None = None
) -> dict[str, object]:
    """Return what is said of one offering; None where nothing is known."""
    region = regions.get((offering.provider, offering.region))
    device, footprint = offering.accelerators, offering.footprint
    observed = (seen or {}).get(offering.id)
    return {
        "id": offering.id,
        "provider": offering.provider,
        "region": offering.region,
        "zone": offering.zone or None,
        "country": region.country if region and region.country else None,
        "instance_type": offering.instance_type,
        "market": offering.market.value,
        "vcpus": offering.vcpus,
        "memory_gib": offering.memory_gib,
        "arch": offering.arch or None,
        "accelerator": device.name if device else None,
        "accelerator_count": device.count if device else None,
        "capabilities": sorted(offering.capabilities),
        "price_usd_per_hour": offering.price_usd_per_hour,
        "price_basis": offering.price_basis,
        "price_date": offering.price_date.isoformat() if offering.price_date else None,
        "interruption": offering.interruption,
        "kwh_per_hour": round(footprint.energy_kwh(_HOUR), 4) if footprint else None,
        "gco2e_per_hour": round(footprint.gco2e(_HOUR), 2) if footprint else None,
        "availability": observed.to_json() if observed else None,
    }


def catalog_csv(rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows as CSV with a header; lists are joined by `|`, and what is not known is empty."""
    file = io.StringIO()
    columns = [column for column in CATALOG_COLUMNS if column != "availability"]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return file.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, list):
        return "|".join(map(str, value))
    return "" if value is None else value
