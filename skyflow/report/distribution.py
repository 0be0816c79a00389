"""Many outcomes as a table and a picture."""

from collections.abc import Callable, Sequence
from math import ceil

__all__ = ["histogram", "quantile_rows"]

_QUANTILES = (0.0, 0.1, 0.5, 0.9, 1.0)
_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"
_BINS = 40


def quantile_rows(
    rows: Sequence[tuple[str, Sequence[float], Callable[[float], str]]],
) -> list[tuple[str, ...]]:
    """Return a table: of each kind of figure the least, the tenth, the middle, the ninetieth of a hundred, and the most."""
    header = ("", "least", "10%", "median", "90%", "most", "mean")
    table: list[tuple[str, ...]] = [header]
    for name, values, shown in rows:
        ordered = sorted(values)
        picked = (ordered[min(ceil(share * len(ordered)), len(ordered)) - 1 if share else 0] for share in _QUANTILES)
        table.append((name, *(shown(value) for value in picked), shown(sum(values) / len(values))))
    return table


def histogram(values: Sequence[float], shown: Callable[[float], str], *, fancy: bool) -> str:
    """Return how often values occur, as bars between the least and the most."""
    least, most = min(values), max(values)
    if most <= least:
        return f"all {shown(least)}"
    counts = [0] * _BINS
    for value in values:
        counts[min(int((value - least) / (most - least) * _BINS), _BINS - 1)] += 1
    bars = _BARS if fancy else _ASCII_BARS
    highest = max(counts)
    line = "".join(bars[ceil(count / highest * (len(bars) - 1))] for count in counts)
    return f"{shown(least)} {line} {shown(most)}"
