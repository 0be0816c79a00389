"""List prices that cannot be meant: a plan for least cost would choose just these, in whatever region they stand."""

from collections.abc import Collection
from statistics import median

__all__ = ["least_believable"]

_LEAST_SHARE = 0.2
"""Of what a machine type costs elsewhere. Real price lists stay above three tenths (Azure's AMD machines in India); in June
2026 Azure's list had nine types of New Zealand at one tenth."""
_LEAST_PLACES = 5
"""With fewer places to compare, none is doubted."""


def least_believable(prices: Collection[float]) -> float:
    """Return the price in US dollars per hour below which one of a machine type's list prices is taken for a mistake.

    Args:
        prices: what the type costs on demand in each place that sells it.
    """
    return median(prices) * _LEAST_SHARE if len(prices) >= _LEAST_PLACES else 0.0
