"""Whether new prices can be believed: three gates that a broken source does not pass."""

from collections import Counter
from collections.abc import Iterator, Mapping

from skyflow.model.catalog_diff import PriceKey
from skyflow.model.resources import Market

__all__ = ["objections"]

_LEAST_SHARE_OF_ROWS = 0.8
_MOST_DEAR_SPOT = 0.005
"""The share of spot prices that may be above the list price: in a few places they really are."""
_SLACK = 1.02
_MOST_RATIO = 1.5

# Machines that every catalog has and everybody knows the price of, by provider, place and type.
ANCHORS = (
    ("aws", "us-east-1", "m6i.large"),
    ("aws", "us-east-1", "c6i.xlarge"),
    ("aws", "eu-west-1", "m6i.large"),
    ("aws", "us-east-1", "g4dn.xlarge"),
    ("azure", "eastus", "Standard_D2s_v5"),
    ("azure", "westeurope", "Standard_D4s_v5"),
    ("azure", "eastus", "Standard_E8s_v5"),
    ("gcp", "us-central1", "n2-standard-4"),
    ("gcp", "us-central1-a", "n2-standard-4"),
    ("gcp", "europe-west4-a", "n2-standard-8"),
    ("gcp", "us-central1-a", "a2-highgpu-1g"),
)


def objections(old: Mapping[PriceKey, float], new: Mapping[PriceKey, float]) -> Iterator[str]:
    """Yield why the new prices should not take the place of the old ones; nothing where they may."""
    yield from _fewer_rows(old, new)
    yield from _dear_spot(old, new)
    yield from _moved_anchors(old, new)


def _fewer_rows(old: Mapping[PriceKey, float], new: Mapping[PriceKey, float]) -> Iterator[str]:
    before, after = (Counter((key[0], key[3]) for key in prices) for prices in (old, new))
    for (provider, market), number in sorted(before.items()):
        left = after[provider, market]
        if left < number * _LEAST_SHARE_OF_ROWS:
            yield f"{provider}: of {number:,} {market} prices {left:,} are left, more than a fifth fewer"


def _dear_spot(old: Mapping[PriceKey, float], new: Mapping[PriceKey, float]) -> Iterator[str]:
    spot: Counter[str] = Counter()
    dear: dict[str, list[str]] = {}
    for key, price in new.items():
        if key[3] == Market.SPOT:
            spot[key[0]] += 1
            listed = new.get((*key[:3], Market.ON_DEMAND.value))
            if listed is not None and price > listed * _SLACK and old.get(key) != price:
                dear.setdefault(key[0], []).append("/".join(key[:3]))
    for provider, names in sorted(dear.items()):
        if len(names) > spot[provider] * _MOST_DEAR_SPOT:
            yield (f"{provider}: {len(names):,} new spot prices are above the list price, for example {min(names)}")


def _moved_anchors(old: Mapping[PriceKey, float], new: Mapping[PriceKey, float]) -> Iterator[str]:
    for anchor in ANCHORS:
        key = (*anchor, Market.ON_DEMAND.value)
        if key not in old:
            continue
        name = "/".join(anchor)
        if key not in new:
            yield f"{name} is no longer there"
        elif old[key] and not 1 / _MOST_RATIO <= new[key] / old[key] <= _MOST_RATIO:
            yield f"{name} went from ${old[key]:g} to ${new[key]:g}, by more than half"
