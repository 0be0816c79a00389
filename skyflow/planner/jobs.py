"""What the planner is given: jobs with the offerings they may be placed on, and what there is only so much of."""

from collections.abc import Callable
from dataclasses import dataclass

from skyflow.model.catalog import Offering, Place
from skyflow.model.recovery import RecoverySpec
from skyflow.model.resources import Estimate, Setup

__all__ = ["OutsideData", "PlanningJob", "Pool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideData:
    """Data that a job reads from, or has to leave at, a place outside of the run; gigabytes are decimal."""

    name: str
    place: Place
    gigabytes: float
    is_output: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningJob:
    """One job after matrix expansion, with the offerings that satisfy its requirements.

    `needs` are keys of other jobs. `data_gb` gives the decimal gigabytes that flow in from some of them, `outside` what
    comes from or goes to elsewhere. `utilization` is the share of a machine's power range that it keeps busy, None where
    nobody says. `pinned_seconds` says that the job runs, or ran, on its only candidate, and how long
    it still takes from now; its machine is paid for already. `setup` is how its machine is prepared. With `reuse` it may
    take over the machine of a job that it needs, and leave its own to another, where that is the same. `recovery` says what
    follows when a spot machine is taken away.
    """

    key: str
    candidates: tuple[Offering, ...]
    needs: tuple[str, ...] = ()
    estimate: Estimate | None = None
    data_gb: tuple[tuple[str, float], ...] = ()
    outside: tuple[OutsideData, ...] = ()
    utilization: float | None = None
    pinned_seconds: float | None = None
    setup: Setup | None = None
    reuse: bool = True
    recovery: RecoverySpec = RecoverySpec()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """So many units of something at one time, of the offerings that it concerns: slots, a quota, a pool of machines."""

    name: str
    units: float
    takes: Callable[[Offering], float]
