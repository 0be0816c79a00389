"""What skyflow itself has seen of offerings: were machines to be had, how fast, and for how long.

Clouds publish no availability, so it has to be observed. An observation counts less the older it is: its weight halves
every `HALF_LIFE_DAYS`. The estimates are means of weighted observations and of a prior worth one observation, so that a
single failure does not rule a place out, and a place nobody tried is not ruled in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["HALF_LIFE_DAYS", "Availability", "Observation", "Outcome", "estimate_availability"]

HALF_LIFE_DAYS = 3.0
"""After so many days an observation counts half: capacity changes from one day to the next, and has weekly tides."""

_PRIOR_AVAILABLE = 0.9
_PRIOR_WEIGHT = 1.0
_SECONDS_PER_DAY = 86400.0
_HOURS_PER_DAY = 24.0
_PRIOR_HOURS = 24.0
_PRIOR_INTERRUPTIONS = 0.02
"""A spot machine is taken back once in two days of use: what is believed of one that nobody has tried, for a day."""


class Outcome(StrEnum):
    """What became of a machine that was asked for or held."""

    PROVISIONED = "provisioned"
    """It was had; `seconds` is how long it took until a job could begin on it."""
    CAPACITY_ERROR = "capacity-error"
    """The provider had none."""
    PREEMPTED = "preempted"
    """The provider took it back; `seconds` is how long it had been held."""
    RELEASED = "released"
    """It was given back by ourselves; `seconds` is how long it had been held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One thing that happened to one offering, named by its id."""

    offering: str
    at: datetime
    outcome: Outcome
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What the observations of one offering say now.

    `available` is the chance that a machine is to be had when asked for. `interruptions_per_hour` is of machines that are
    held. `provisioning_seconds` is None where none was ever had. `weight` is how many fresh observations it rests on.
    """

    available: float
    interruptions_per_hour: float
    provisioning_seconds: float | None
    observations: int
    weight: float
    last_seen: datetime

    def to_json(self) -> dict[str, object]:
        """Return the machine-readable form."""
        return {
            "available": round(self.available, 4),
            "interruptions_per_hour": round(self.interruptions_per_hour, 5),
            "provisioning_seconds": None if self.provisioning_seconds is None else round(self.provisioning_seconds, 1),
            "observations": self.observations,
            "weight": round(self.weight, 3),
            "last_seen": self.last_seen.isoformat(),
        }


def estimate_availability(observations: Iterable[Observation], *, now: datetime) -> Availability | None:
    """Return what observations of one offering say at a moment; None without any."""
    seen = list(observations)
    if not seen:
        return None
    had = failed = taken = held_hours = times = timed = total = 0.0
    for one in seen:
        weight = 0.5 ** (max(0.0, (now - one.at).total_seconds()) / _SECONDS_PER_DAY / HALF_LIFE_DAYS)
        total += weight
        match one.outcome:
            case Outcome.PROVISIONED:
                had += weight
                if one.seconds is not None:
                    times, timed = times + weight * one.seconds, timed + weight
            case Outcome.CAPACITY_ERROR:
                failed += weight
            case Outcome.PREEMPTED | Outcome.RELEASED:
                held_hours += weight * (one.seconds or 0.0) / 3600
                taken += weight * (one.outcome is Outcome.PREEMPTED)
    prior = _PRIOR_AVAILABLE * _PRIOR_WEIGHT
    return Availability(
        available=(had + prior) / (had + failed + _PRIOR_WEIGHT),
        interruptions_per_hour=(taken + _PRIOR_INTERRUPTIONS * _PRIOR_HOURS / _HOURS_PER_DAY)
        / (held_hours + _PRIOR_HOURS),
        provisioning_seconds=times / timed if timed else None,
        observations=len(seen),
        weight=total,
        last_seen=max(one.at for one in seen),
    )
