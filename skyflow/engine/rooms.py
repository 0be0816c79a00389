"""How many jobs run at once, and where: on this machine, and in each pool of other ones."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["Rooms"]

_HERE = ""
_COMBINATION = re.compile(r"\.\d+(?=/|$)")
"""What the key of a job has of its matrix, or of that of a job that calls its workflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Where jobs are placed: `pools` has the pool of a job by its key, or by that of its spec.

    A matrix that was not known when the run was planned has one entry for all. All other jobs are in the pool `otherwise`, or run here if that is empty. `capacity` says how many jobs a pool takes at once.
    """

    pools: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = _HERE
    capacity: Mapping[str, int] = field(default_factory=dict)

    def pool_of(self, key: str, spec_id: str) -> str:
        """Return the pool of a job, or nothing for one that runs here."""
        planned = (key, spec_id, _COMBINATION.sub("", key))
        return next((self.pools[each] for each in planned if each in self.pools), self.otherwise)

    def free(self, active: Iterable[tuple[str, str]], slots: int) -> Mapping[str, int]:
        """Return how many more jobs may start in each pool, and under the empty name here.

        Args:
            active: the jobs in progress: their keys and those of their specs.
            slots: how many jobs run here at once.
        """
        taken = Counter(self.pool_of(key, spec_id) for key, spec_id in active)
        return {name: most - taken[name] for name, most in {**self.capacity, _HERE: slots}.items()}
