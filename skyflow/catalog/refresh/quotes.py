"""What a source says: a price, or the carbon of a grid."""

from collections.abc import Sequence
from dataclasses import dataclass

from skyflow.model.resources import Market

__all__ = ["GridFigures", "Page", "Quote"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One price, in US dollars per hour, of a machine type in a region as a whole; `day` is when it took effect."""

    region: str
    instance_type: str
    market: Market
    usd_per_hour: float
    basis: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a source; `about` says which, for people who watch."""

    about: str
    quotes: Sequence[Quote]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridFigures:
    """What was measured of a grid: the mean in g/kWh, and 12 times 24 factors by month and hour in UTC."""

    grid: str
    mean: float
    factors: Sequence[float]
    days: int
