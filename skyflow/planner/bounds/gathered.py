"""Plans in which all jobs run at one place, so that nothing moves but what comes from outside.

Where many jobs hand on data, each of them looks a little better somewhere else, and plans made job by job scatter them.
That all stay together is far from such a plan, and often close to the best.

Imports numpy; loaded only by a problem that leaves something to choose.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from skyflow.planner.bounds.network import Columns, Network
from skyflow.planner.bounds.pairwise import Floats

__all__ = ["gathered"]

_PRICES = np.geomspace(1e-2, 1e2, 9)
"""What a second may cost, as multiples of what it costs to save one: in the middle, and from the cheapest to the fastest."""
_PLACES = 6
"""How many places are tried at each price: those where the jobs, without what moves, cost least."""


def gathered(network: Network, *, usd: float, grams: float) -> Iterator[list[int]]:
    """Yield labels, those of one place and one price of a second after the other; jobs without that place go elsewhere.

    `usd` and `grams` say what a dollar and a gram count.
    """
    known = {id(columns): columns for columns in network.columns}
    counts = Counter(map(id, network.columns))
    costs = {key: usd * columns.usd + grams * columns.grams for key, columns in known.items()}
    saving = [price for key, columns in known.items() if (price := _price(costs[key], columns.seconds))]
    for price in float(np.median(saving)) * _PRICES if saving else ():
        own = {key: costs[key] + price * columns.seconds for key, columns in known.items()}
        score = np.zeros(len(network.seconds_per_gb))
        for key, columns in known.items():
            score += counts[key] * _least(own[key], columns, len(score))
        for place in np.argsort(score, kind="stable")[:_PLACES]:
            labels = {key: _best_at(int(place), own[key], columns) for key, columns in known.items()}
            yield [labels[id(columns)] for columns in network.columns]


def _price(costs: Floats, seconds: Floats) -> float:
    """Return what it costs to save a second, between the cheapest and the fastest candidate."""
    cheapest, fastest = costs.argmin(), seconds.argmin()
    saved = float(seconds[cheapest] - seconds[fastest])
    return float(costs[fastest] - costs[cheapest]) / saved if saved > 0 else 0.0


def _least(own: Floats, columns: Columns, places: int) -> Floats:
    """Return the least cost at each place; where a job has no candidate, the least of all."""
    least = np.full(places, np.inf)
    np.minimum.at(least, columns.place, own)
    least[np.isinf(least)] = own.min()
    return least


def _best_at(place: int, own: Floats, columns: Columns) -> int:
    there = np.flatnonzero(columns.place == place)
    return int(there[own[there].argmin()]) if len(there) else int(own.argmin())
