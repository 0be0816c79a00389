"""Offerings as tests need them: what a test says nothing about is as here."""

from datetime import date
from typing import Any

from skyflow.model.catalog import Offering, Place
from skyflow.model.resources import LOCAL, Accelerators, Market

__all__ = ["A100", "HOST", "offering", "offering_at"]


def offering(provider: str = "aws", region: str = "us-east-1", **given: Any) -> Offering:
    """Return an offering of some small machine on demand, for a dollar an hour."""
    usual = {
        "instance_type": "m6i.xlarge", "market": Market.ON_DEMAND, "vcpus": 4, "memory_gib": 16.0,
        "price_usd_per_hour": 1.0, "price_basis": "list",
    }  # fmt: skip
    return Offering(provider=provider, region=region, **usual | given)


HOST = offering(
    LOCAL, LOCAL, instance_type="this-machine", vcpus=8, memory_gib=31.2, price_usd_per_hour=0.0, price_basis="own"
)
A100 = offering(
    "gcp", "us-central1", zone="us-central1-a", instance_type="a2-highgpu-1g", market=Market.SPOT, vcpus=12, memory_gib=85.0,
    accelerators=Accelerators("A100", 1), price_usd_per_hour=1.92802, price_date=date(2026, 8, 3),
)  # fmt: skip


def offering_at(place: Place, instance_type: str, price: float) -> Offering:
    """Return an offering of some small machine at a place, for so many dollars an hour."""
    return offering(
        place.provider, place.region, zone=place.zone, instance_type=instance_type, price_usd_per_hour=price
    )
