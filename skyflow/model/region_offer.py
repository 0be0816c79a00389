"""What a region has to offer for a price, and at what emissions."""

from dataclasses import dataclass

from skyflow.model.catalog import Offering, Region

__all__ = ["RegionOffer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOffer:
    """The cheapest machine of a region. `is_undominated` tells that no other region is both cheaper and cleaner.

    `grams_per_hour` are CO2 equivalents at the usual utilization, None where nothing is known of the machine or its grid.
    """

    offering: Offering
    region: Region | None
    grams_per_hour: float | None
    is_undominated: bool
