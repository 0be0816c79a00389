"""What two catalogs differ in, as lines for people and as JSON."""

from collections.abc import Iterator

from skyflow.model.catalog_diff import CatalogDiff, PriceKey

__all__ = ["diff_lines", "diff_to_json"]


def diff_lines(found: CatalogDiff, *, changes: int) -> Iterator[str]:
    """Yield the counts by provider, then so many of the biggest changes."""
    if found.is_empty:
        yield f"no difference in {found.unchanged:,} prices"
        return
    for provider, (added, removed, changed) in found.counts().items():
        yield f"{provider}: {added:,} prices added, {removed:,} removed, {changed:,} changed"
    for key, old, new in found.biggest_changes()[:changes]:
        yield f"  {'/'.join(key)}: ${old:g} -> ${new:g} per hour ({_percent(old, new)})"
    if len(found.changed) > changes:
        yield f"  and {len(found.changed) - changes:,} more; --json has all"


def diff_to_json(found: CatalogDiff) -> dict[str, object]:
    """Return everything, with one entry for each price that differs."""
    return {
        "added": [_entry(key, new=price) for key, price in sorted(found.added.items())],
        "removed": [_entry(key, old=price) for key, price in sorted(found.removed.items())],
        "changed": [_entry(key, old=old, new=new) for key, (old, new) in sorted(found.changed.items())],
        "unchanged": found.unchanged,
    }


def _entry(key: PriceKey, *, old: float | None = None, new: float | None = None) -> dict[str, object]:
    return {"id": "/".join(key), "old_usd_per_hour": old, "new_usd_per_hour": new}


def _percent(old: float, new: float) -> str:
    return f"{(new - old) / old:+.0%}" if old else "from nothing"
