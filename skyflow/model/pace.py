"""The pace at which a job has to go so that it ends in time on spot machines, with the same machine on demand as a backup.

The rules are those of Uniform Progress (Wu et al., "Can't Be Late: Optimizing Spot Instance Savings under Deadlines", NSDI 2024,
section 5). With the work W, of which C is left, from t0 to the deadline D, the time that is left R = D - t, and the overhead d of
getting a machine and beginning to work on it:

- safety net: a job without a machine goes over to on demand, to the end, if R < C + r;
- uniform progress: it does so too while it has done less than W (t - t0) / (D - t0), if there is no spot machine;
- hysteresis: on demand it goes on until it has done W (t + r - t0) / (D - t0), and then asks for spot machines again;
- exploitation: on a spot machine it stays until that is taken away.

The paper takes r = 2 d, for work that is never lost. Here r = 2 d + min(c, C), as what was done since the last checkpoint, c apart,
is lost with a machine, and all of it without checkpoints. That is enough to decide only when a job has no machine: a spot
machine that is had with R >= C + r, starts within d and is taken away with less than c done leaves R >= C + d, in which one on
demand starts and does the rest. A job that ends in time on demand from its beginning ends in time.

One thing is not as in the paper. There, somebody looks all the time whether there is a spot machine, and a job on demand goes over to
it the moment there is. A cloud can only be asked by renting, so skyflow asks when the job has no machine, and once more when the
hysteresis is over.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from skyflow.model.catalog import Offering

__all__ = ["Pace"]

_ROUNDING_SECONDS = 1e-6
"""What a difference of moments may lack of what was added, so that work that ends at a checkpoint counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A job's way to its deadline; all times are seconds, and moments such since the run began.

    From `begins_at` to `ends_at` it has `work_seconds` to do, on `spot` machines or on the same `on_demand`. `overhead_seconds` is
    what it takes at most to get a machine and begin; `checkpoint_seconds` lie between checkpoints, 0 where there are none.
    """

    begins_at: float
    ends_at: float
    work_seconds: float
    overhead_seconds: float
    checkpoint_seconds: float
    spot: Offering
    on_demand: Offering

    def patience(self, now: float, left: float) -> float | None:
        """Return how long a job without a machine may wait for a spot machine, 0 to ask once; None not to ask at all."""
        spare = self.ends_at - now - left - self._reserve(left)
        if spare < 0:
            return None
        return max(min(spare, self._expected_at(self.work_seconds - left) - now), 0.0)

    def stint(self, now: float, left: float) -> float:
        """Return how long a job works on demand, from a moment on, before it asks for a spot machine again.

        It ends at a checkpoint. It is without end where the job has none, or could not go back in time a second time.
        """
        every, share = self.checkpoint_seconds, self._share
        reserve = self._reserve(left)
        if not every or share >= 1 or self.ends_at - now - left < reserve + every:
            return math.inf
        ahead = self.work_seconds - left - share * (now + reserve - self.begins_at)
        seconds = max(math.ceil(-ahead / (1 - share) / every), 1) * every
        return seconds if seconds < left else math.inf

    def left_after(self, worked: Iterable[float]) -> float:
        """Return how much work is left after it was worked at for so long, on one machine each: up to their last checkpoints it counts."""
        return max(self.work_seconds - sum(map(self._kept, worked)), 0.0)

    def shifted(self, seconds: float) -> "Pace":
        """Return the same, so many seconds later."""
        return replace(self, begins_at=self.begins_at + seconds, ends_at=self.ends_at + seconds)

    @property
    def _share(self) -> float:
        """How much of the time has to be work."""
        available = self.ends_at - self.begins_at
        return self.work_seconds / available if available > 0 else math.inf

    def _expected_at(self, done: float) -> float:
        """Return when so much should have been done."""
        return self.begins_at + (done / self._share if self._share else 0.0)

    def _reserve(self, left: float) -> float:
        """Return r."""
        return 2 * self.overhead_seconds + min(self.checkpoint_seconds or left, left)

    def _kept(self, worked: float) -> float:
        every = self.checkpoint_seconds
        return (max(worked, 0.0) + _ROUNDING_SECONDS) // every * every if every else 0.0

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form, as in `schemas/plan.schema.json`."""
        return {
            "begins_at": self.begins_at,
            "ends_at": self.ends_at,
            "work_seconds": self.work_seconds,
            "overhead_seconds": self.overhead_seconds,
            "checkpoint_seconds": self.checkpoint_seconds,
            "spot": self.spot.to_json(),
            "on_demand": self.on_demand.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Pace":
        """Read what `to_json` wrote.

        Raises:
            KeyError: a field is missing.
            TypeError: a field has another type.
            ValueError: a field has a value that is not one of its own.
        """
        offerings = {key: Offering.from_json(data[key]) for key in ("spot", "on_demand")}
        return cls(**{**data, **offerings})
