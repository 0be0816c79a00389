"""Quantities with units: durations in seconds, sizes in gigabytes or gibibytes, money in US dollars.

Parsers raise `ValueError` with a sentence for the user; formatters are made for tables.
"""

import re
from collections.abc import Callable
from math import floor, log10

__all__ = [
    "format_change",
    "format_duration",
    "format_gb",
    "format_grams",
    "format_usd",
    "parse_duration_seconds",
    "parse_grams",
    "parse_rate",
    "parse_size_gb",
    "parse_size_gib",
    "parse_usd",
]

_DURATION_UNITS = {
    "ms": 0.001,  # as durations are shown; without it, the plural of "m" would be taken for minutes
    "millisecond": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_SIZE_BYTES = {
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "pb": 10**15,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
    "pib": 2**50,
}
_DURATION_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)")
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*")


def parse_duration_seconds(text: str) -> float:
    """Read `90s`, `10m`, `1h30m`, `2 days`, `250ms`; a bare number counts seconds.

    Raises:
        ValueError: the text is not a duration.
    """
    lowered = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", lowered):
        return float(lowered)
    total, position = 0.0, 0
    while part := _DURATION_PART.match(lowered, position):
        unit = part[2] if part[2] in _DURATION_UNITS else part[2].removesuffix("s")
        if unit not in _DURATION_UNITS:
            break
        total += float(part[1]) * _DURATION_UNITS[unit]
        position = part.end()
    if position == 0 or lowered[position:].strip():
        raise ValueError(f"'{text}' is not a duration; write for example 90s, 10m or 1h30m")
    return total


def parse_size_gb(text: str) -> float:
    """Read a size in decimal gigabytes (data is sold by the GB); a bare number counts GB.

    Raises:
        ValueError: the text is not a size.
    """
    return _parse_bytes(text, bare_unit="gb") / 10**9


def parse_size_gib(text: str) -> float:
    """Read a size in binary gibibytes (memory is sold by the GiB); a bare number counts GiB.

    Raises:
        ValueError: the text is not a size.
    """
    return _parse_bytes(text, bare_unit="gib") / 2**30


def _parse_bytes(text: str, *, bare_unit: str) -> float:
    match = _SIZE.fullmatch(text.lower())
    unit = (match[2] or bare_unit) if match else ""
    if match is None or unit not in _SIZE_BYTES:
        raise ValueError(f"'{text}' is not a size; write for example 500MB, 16GiB or 1.5TB")
    return float(match[1]) * _SIZE_BYTES[unit]


def format_duration(seconds: float) -> str:
    """Return two units at most: `40ms`, `1.4s`, `12s`, `3m 05s`, `2h 40m`, `3d 04h`."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms"
    if seconds < 9.95:  # below ten seconds the tenth still matters to a reader
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600:02d}h"


def format_usd(dollars: float) -> str:
    """Return `$0`, `$0.0042`, `$1.27`, `$1,204.50`: two significant digits below a cent, cents above."""
    if dollars == 0:
        return "$0"
    if abs(dollars) < 0.000001:
        return "<$0.000001"
    if abs(dollars) < 0.01:
        decimals = 1 - floor(log10(abs(dollars)))
        return f"${dollars:.{decimals}f}".rstrip("0")
    return f"${dollars:,.2f}"


def format_gb(gigabytes: float) -> str:
    """Return `0`, `12 kB`, `250 MB`, `12.5 GB`, `3 TB`: three significant digits, all from a thousand terabytes on."""
    if gigabytes == 0:
        return "0"
    if gigabytes < 0.000001:
        return "<1 kB"
    for unit, factor in (("kB", 1e6), ("MB", 1e3), ("GB", 1.0)):
        if gigabytes * factor < 999.5:  # what rounds to a thousand belongs to the next unit
            return f"{gigabytes * factor:.3g} {unit}"
    terabytes = gigabytes / 1000
    return f"{terabytes:.3g} TB" if terabytes < 999.5 else f"{terabytes:,.0f} TB"


def format_grams(grams: float) -> str:
    """Return `0 g`, `250 g`, `12.5 kg`, `1.2 t` of CO2 equivalents: three significant digits, none below a tenth of a gram."""
    if 0 < grams < 0.1:
        return "<0.1 g"
    for unit, factor in (("g", 1.0), ("kg", 1e3)):
        if grams / factor < 999.5:
            return f"{grams / factor:.3g} {unit}"
    return f"{grams / 1e6:,.3g} t"


def format_change(value: float, show: Callable[[float], str]) -> str:
    """Return `+$1.27`, `-4m 10s`, or `same`: a difference with its sign."""
    if abs(value) < 1e-9:
        return "same"
    return f"{'+' if value > 0 else '-'}{show(abs(value))}"


def parse_usd(text: str) -> float:
    """Read `12`, `12.50`, `$12.50`, `12.50 USD`: US dollars.

    Raises:
        ValueError: the text is not an amount of money.
    """
    match = re.fullmatch(r"\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:usd)?\s*", text.lower())
    if match is None:
        raise ValueError(f"'{text}' is not an amount of money; write for example 12.50 or $12.50")
    return float(match[1])


def parse_grams(text: str) -> float:
    """Read `500g`, `2kg`, `1.5t` of CO2 equivalents, in grams; a bare number counts kilograms.

    Raises:
        ValueError: the text is not such an amount.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(g|kg|t|)\s*(?:co2e?)?\s*", text.lower())
    if match is None:
        raise ValueError(f"'{text}' is not an amount of CO2; write for example 500g, 2kg or 1.5t")
    return float(match[1]) * {"g": 1.0, "": 1e3, "kg": 1e3, "t": 1e6}[match[2]]


_PER = {"t": "usd_per_tonne", "tonne": "usd_per_tonne", "h": "usd_per_hour", "hour": "usd_per_hour"}
_PER_FACTOR = {"kg": ("t", 1e3), "s": ("h", 3600.0), "min": ("h", 60.0), "m": ("h", 60.0), "day": ("h", 1 / 24)}


def parse_rate(text: str, *, per: str) -> float:
    """Read `100 USD/t`, `0.1 USD/kg` (per "t") or `5 USD/h`, `120 USD/day` (per "h"); a bare number counts the unit itself.

    Raises:
        ValueError: the text is not such a price.
    """
    example = "100 USD/t" if per == "t" else "5 USD/h"
    match = re.fullmatch(r"\s*\$?\s*(\d+(?:\.\d+)?)\s*(?:usd)?\s*(?:/\s*([a-z]+))?\s*", text.lower())
    unit = (match[2] or per) if match else ""
    base, factor = _PER_FACTOR.get(unit, (unit, 1.0))
    if match is None or _PER.get(base) != _PER[per]:
        raise ValueError(
            f"'{text}' is not a price {'of carbon' if per == 't' else 'of time'}; write for example {example}"
        )
    return float(match[1]) * factor
