"""What two price lists differ in."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CatalogDiff", "PriceKey", "compare"]

PriceKey = tuple[str, str, str, str]
"""Provider, zone or else region, instance type, market."""

_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDiff:
    """The prices that only the new tables have, that only the old ones had, and that changed, as (old, new)."""

    added: Mapping[PriceKey, float]
    removed: Mapping[PriceKey, float]
    changed: Mapping[PriceKey, tuple[float, float]]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether there is no difference."""
        return not (self.added or self.removed or self.changed)

    def biggest_changes(self) -> list[tuple[PriceKey, float, float]]:
        """Return what changed, the biggest ratio first, then by name."""
        found = ((key, old, new) for key, (old, new) in self.changed.items())
        return sorted(found, key=lambda change: (-_ratio(change[1], change[2]), change[0]))

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return how many were added, removed and changed, by provider."""
        found: dict[str, list[int]] = {}
        for column, table in enumerate((self.added, self.removed, self.changed)):
            for key in table:
                found.setdefault(key[0], [0, 0, 0])[column] += 1
        return {provider: (one, two, three) for provider, (one, two, three) in sorted(found.items())}


def compare(old: Mapping[PriceKey, float], new: Mapping[PriceKey, float]) -> CatalogDiff:
    """Return the differences between two price lists."""
    both = old.keys() & new.keys()
    changed = {key: (old[key], new[key]) for key in both if abs(old[key] - new[key]) > _SAME}
    return CatalogDiff(
        added={key: new[key] for key in new.keys() - old.keys()},
        removed={key: old[key] for key in old.keys() - new.keys()},
        changed=changed,
        unchanged=len(both) - len(changed),
    )


def _ratio(old: float, new: float) -> float:
    low, high = sorted((old, new))
    return high / low if low else float("inf")
