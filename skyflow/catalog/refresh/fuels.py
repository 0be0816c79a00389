"""From what power stations generate to what a kilowatt-hour emits.

The figures are the medians over the whole life of a plant in IPCC, AR5 WG III, annex III, table A.III.2 (2014). Oil is
not in it: 650 is what Electricity Maps counts for it. Brown coal, coal gas, oil shale and peat count as coal. Storage, waste and
what is only called "other" are left out of both sides of the mean. Imports are not seen: it is the mean of what the grid
generates itself.
"""

from collections.abc import Iterable, Mapping

__all__ = ["GRAMS", "mean_intensity"]

GRAMS: Mapping[str, float] = {
    "coal": 820, "gas": 490, "oil": 650, "biomass": 230, "solar": 48, "geothermal": 38, "hydro": 24, "nuclear": 12,
    "wind offshore": 12, "wind": 11, "marine": 17,
}  # fmt: skip
"""Grams of CO2-equivalent per kWh, by fuel."""


def mean_intensity(generated: Iterable[tuple[str, float]]) -> float | None:
    """Return the grams per kWh of a mix, from its fuels and how much each of them generates; None of nothing."""
    known = [(GRAMS[fuel], amount) for fuel, amount in generated if fuel in GRAMS and amount > 0]
    total = sum(amount for _, amount in known)
    return sum(grams * amount for grams, amount in known) / total if total else None
