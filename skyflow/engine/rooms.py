"""How many jobs run at once, and where: on this machine, and in each pool of other ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skyflow.model.job_keys import planned

__all__ = ["Rooms"]

_HERE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Where jobs are placed: `pools` has the pool of a job by its key in the plan.

    All other jobs are in the pool `otherwise`, or run here if that is empty. `capacity` says how many slots a pool has; a
    job takes one, or as many as `nodes` says.
    """

    pools: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = _HERE
    capacity: Mapping[str, int] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)

    def pool_of(self, key: str) -> str:
        """Return the pool of a job, or nothing for one that runs here."""
        return planned(self.pools, key) or self.otherwise

    def nodes_of(self, key: str) -> int:
        """Return on how many machines a job runs at once."""
        return planned(self.nodes, key) or 1

    def slots_of(self, key: str) -> int:
        """Return how many slots of its pool a job takes; one that wants more than there are is not kept waiting for them."""
        nodes = self.nodes_of(key)
        return min(nodes, self.capacity.get(self.pool_of(key), nodes))

    def free(self, active: Iterable[str], slots: int) -> Mapping[str, int]:
        """Return how many slots are left in each pool, and under the empty name here.

        Args:
            active: the keys of the jobs in progress.
            slots: how many jobs run here at once.
        """
        left = {**self.capacity, _HERE: slots}
        for key in active:
            left[self.pool_of(key)] -= self.slots_of(key)
        return left
