"""Where what was seen of offerings is kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from skyflow.model.availability import Observation

__all__ = ["AvailabilityLog"]


class AvailabilityLog(Protocol):
    """Remembers what became of machines. Whoever provides machines records; plans and `skyflow catalog show` read."""

    def record_observations(self, observations: Sequence[Observation]) -> None:
        """Store observations, all or none."""
        ...

    def observations_of(
        self, offerings: Collection[str] | None, *, since: datetime
    ) -> Mapping[str, Sequence[Observation]]:
        """Return what was seen of some offerings, by their ids, or with None of all of which anything was.

        Those of an offering come oldest first; there are none of those that nothing was seen of.
        """
        ...
