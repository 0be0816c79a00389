"""The catalog as tables for people; whoever shows one imports this module then, for it loads rich."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from skyflow.model.availability import Availability
from skyflow.model.catalog import Offering, Region
from skyflow.model.resources import Market

__all__ = ["render_comparison", "render_offerings"]

_HOUR = 3600.0


def render_offerings(offerings: Sequence[Offering], regions: Mapping[tuple[str, str], Region]) -> Table:
    """Return one line for each offering."""
    table = _table("machine", "cloud", "where", "country", "market", "vCPUs", "GiB", "accelerators", "$/h", "gCO2e/h")
    for one in offerings:
        region = regions.get((one.provider, one.region))
        table.add_row(
            one.instance_type,
            one.provider,
            one.place.name,
            region.country if region else "",
            Text(one.market.value, style="magenta" if one.market is Market.SPOT else ""),
            str(one.vcpus),
            f"{one.memory_gib:g}",
            Text(str(one.accelerators or ""), style="cyan"),
            _price(one),
            _grams(one),
        )
    return table


def render_comparison(
    offerings: Sequence[Offering], regions: Mapping[tuple[str, str], Region], seen: Mapping[str, Availability]
) -> Table:
    """Return one line for each place and machine, with both markets side by side, the cheapest first."""
    lines: dict[tuple[str, str, str], dict[Market, Offering]] = {}
    for one in offerings:
        lines.setdefault((one.provider, one.place.name, one.instance_type), {})[one.market] = one
    has_seen = any(one.id in seen for one in offerings)
    columns = ("machine", "cloud", "where", "country", "on-demand $/h", "spot $/h", "taken back", "gCO2e/h")
    table = _table(*columns, *(("seen",) if has_seen else ()))
    for markets in lines.values():
        one = next(iter(markets.values()))
        region = regions.get((one.provider, one.region))
        spot = markets.get(Market.SPOT)
        cells: list[str | Text] = [
            one.instance_type,
            one.provider,
            one.place.name,
            region.country if region else "",
            _price(markets[Market.ON_DEMAND]) if Market.ON_DEMAND in markets else "",
            _price(spot) if spot else "",
            f"{spot.interruption:.0%}/month" if spot and spot.interruption is not None else "",
            _grams(one),
        ]
        if has_seen:
            cells.append("; ".join(_seen(market, seen[each.id]) for market, each in markets.items() if each.id in seen))
        table.add_row(*cells)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        is_number = column in {"vCPUs", "GiB", "taken back"} or column.endswith("/h")
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    return table


def _price(offering: Offering) -> str:
    return f"{'~' if offering.is_estimated else ''}{offering.price_usd_per_hour:.4f}"


def _grams(offering: Offering) -> str:
    return f"{offering.footprint.gco2e(_HOUR):.0f}" if offering.footprint else ""


def _seen(market: Market, found: Availability) -> str:
    parts = [f"{market} {found.available:.0%} to be had"]
    if found.provisioning_seconds is not None:
        parts.append(f"in {found.provisioning_seconds:.0f} s")
    if market is Market.SPOT:
        parts.append(f"taken back once in {1 / found.interruptions_per_hour:.0f} h")
    return f"{', '.join(parts)} ({found.observations} seen, last {found.last_seen:%Y-%m-%d})"
