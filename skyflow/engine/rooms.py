"""How many jobs run at once, and where: on this machine, and in each pool of other ones."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

__all__ = ["Rooms"]

_T = TypeVar("_T")

_HERE = ""
_COMBINATION = re.compile(r"\.\d+(?=/|$)")
"""What the key of a job has of its matrix, or of that of a job that calls its workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Where jobs are placed: `pools` has the pool of a job by its key, or by that of its spec.

    A matrix that was not known when the run was planned has one entry for all. All other jobs are in the pool
    `otherwise`, or run here if that is empty. `capacity` says how many slots a pool has; a job takes one, or as many as
    `nodes` says.
    """

    pools: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = _HERE
    capacity: Mapping[str, int] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)

    def pool_of(self, key: str, spec_id: str) -> str:
        """Return the pool of a job, or nothing for one that runs here."""
        return _planned(self.pools, key, spec_id) or self.otherwise

    def nodes_of(self, key: str, spec_id: str) -> int:
        """Return on how many machines a job runs at once."""
        return _planned(self.nodes, key, spec_id) or 1

    def slots_of(self, key: str, spec_id: str) -> int:
        """Return how many slots of its pool a job takes; one that wants more than there are is not kept waiting for them."""
        nodes = self.nodes_of(key, spec_id)
        return min(nodes, self.capacity.get(self.pool_of(key, spec_id), nodes))

    def free(self, active: Iterable[tuple[str, str]], slots: int) -> Mapping[str, int]:
        """Return how many slots are left in each pool, and under the empty name here.

        Args:
            active: the jobs in progress: their keys and those of their specs.
            slots: how many jobs run here at once.
        """
        left = {**self.capacity, _HERE: slots}
        for which in active:
            left[self.pool_of(*which)] -= self.slots_of(*which)
        return left


def _planned(known: Mapping[str, _T], key: str, spec_id: str) -> _T | None:
    keys = (key, spec_id, _COMBINATION.sub("", key))
    return next((known[each] for each in keys if each in known), None)
