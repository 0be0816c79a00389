"""Reading prices alone, to compare two sets of tables."""

from collections.abc import Iterator
from pathlib import Path

from skyflow.catalog.build import price_lists
from skyflow.catalog.columns import TABLES
from skyflow.catalog.tables import read_table
from skyflow.model.catalog_diff import PriceKey
from skyflow.model.resources import Market

__all__ = ["read_prices"]


def read_prices(directory: Path) -> dict[PriceKey, float]:
    """Read all prices of a directory; rows that cannot be used are left out.

    Raises:
        CatalogError: a table cannot be read at all.
    """
    return {key: price for provider in price_lists(directory) for key, price in _prices(directory, provider)}


def _prices(directory: Path, provider: str) -> Iterator[tuple[PriceKey, float]]:
    table = read_table(directory, f"{provider}/prices.csv", TABLES["prices.csv"])
    columns = ("region", "zone", "instance_type", "usd_per_hour", "spot_usd_per_hour")
    for _, region, zone, name, on_demand, spot in table.rows(*columns):
        where = zone or region
        yield (provider, where, name, Market.ON_DEMAND.value), on_demand
        if spot is not None:
            yield (provider, where, name, Market.SPOT.value), spot
