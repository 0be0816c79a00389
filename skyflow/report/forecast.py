"""When a run will have ended, from its plan and from what has come of it so far.

Estimates of the workflow are scaled by how wrong they were for the jobs that have ended, as if one more of them, of the
plan's mean, had been right: the first job to end, maybe the smallest of all, does not decide alone. A job without an estimate is
expected to take as long as others without one took; while none of those has ended, nothing is said at all.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.placement import Placement, Plan
from skyflow.model.resources import LOCAL
from skyflow.model.status import Status
from skyflow.report.run_progress import JobProgress

__all__ = ["Forecast"]

_LEG = re.compile(r"\.\d+(?=/|$)")
_SECONDS_PER_HOUR = 3600.0
_STILL = 0.1
"""A job that has overrun its estimate is expected to take this share of its time so far longer: it has to be something."""


@dataclass(slots=True)
class _Known:
    """What the jobs that have ended tell of the others."""

    scale: float
    unestimated_seconds: float | None


class Forecast:
    """Says how long a run will go on; `slots` is how many jobs this machine runs at once."""

    def __init__(self, plan: Plan, *, slots: int) -> None:
        self._placements = {placement.job: placement for placement in plan.placements}  # each after what it needs
        self._slots = slots
        estimates = [each.duration_seconds for each in plan.placements if not each.is_duration_assumed]
        self._mean_seconds = sum(estimates) / len(estimates) if estimates else 0.0

    @property
    def total(self) -> int:
        """How many jobs there are, as far as that was known when the plan was made."""
        return len(self._placements)

    def placement(self, key: str) -> Placement | None:
        """Return the placement of a job, or that of its whole matrix where that was planned as one job."""
        return self._placements.get(key) or self._placements.get(_LEG.sub("", key))

    def estimate_seconds(self, key: str) -> float | None:
        """Return what the workflow says of how long a job takes; None if it says nothing."""
        placement = self.placement(key)
        return None if placement is None or placement.is_duration_assumed else placement.duration_seconds

    def spent(self, job: JobProgress, now: datetime) -> tuple[float, float]:
        """Return what a job has cost so far, in US dollars and in grams of CO2 equivalents, by its plan.

        That is the hourly price and the emissions of the planned machine for as long as the job has had one; grams that are
        not known count as none.
        """
        placement = self.placement(job.key)
        if placement is None:
            return 0.0, 0.0
        seconds = job.busy_seconds(now)
        grams = placement.carbon_grams or 0.0
        return (
            placement.offering.price_usd_per_hour * seconds / _SECONDS_PER_HOUR,
            grams * seconds / placement.duration_seconds if placement.duration_seconds else 0.0,
        )

    def left_seconds(self, jobs: Mapping[str, JobProgress], now: datetime) -> float | None:
        """Return how long the run will go on, None while that cannot be told.

        It is the longer of two times: what the longest chain of needs still takes, and all work divided by the slots.
        """
        known = self._known(jobs.values())
        ends: dict[str, float] = {}
        work = 0.0
        expanded = {_LEG.sub("", key) for key in jobs if key not in self._placements}
        for key, placement in self._placements.items():
            left = 0.0 if key in expanded else self._left(placement, jobs.get(key), known, now)
            if left is None:
                return None
            needed = max((ends.get(transfer.from_job, 0.0) for transfer in placement.inputs), default=0.0)
            ends[key] = needed + left
            work += left if placement.offering.provider == LOCAL else 0.0
        for key, job in jobs.items():
            of_matrix = None if key in self._placements else self.placement(key)
            if of_matrix is not None:
                left = self._left(of_matrix, job, known, now) or 0.0
                ends[key] = left
                work += left
        return max(max(ends.values(), default=0.0), work / self._slots)

    def _left(self, placement: Placement, job: JobProgress | None, known: _Known, now: datetime) -> float | None:
        if job is not None and job.status is Status.COMPLETED:
            return 0.0
        expected = known.unestimated_seconds
        if not placement.is_duration_assumed:
            expected = placement.duration_seconds * known.scale
        if expected is None:
            return None
        if job is None or job.started_at is None or job.status is not Status.IN_PROGRESS:
            return expected
        so_far = (now - job.started_at).total_seconds()
        return max(expected - so_far, so_far * _STILL)

    def _known(self, jobs: Iterable[JobProgress]) -> _Known:
        took = estimated = 0.0
        unestimated: list[float] = []
        for job in jobs:
            placement = self.placement(job.key)
            if placement is None or job.started_at is None or job.completed_at is None:
                continue
            if not placement.duration_seconds:  # it had ended when the plan was made
                continue
            seconds = (job.completed_at - job.started_at).total_seconds()
            if placement.is_duration_assumed:
                unestimated.append(seconds)
            else:
                took += seconds
                estimated += placement.duration_seconds
        return _Known(
            scale=(took + self._mean_seconds) / (estimated + self._mean_seconds) if estimated else 1.0,
            unestimated_seconds=sum(unestimated) / len(unestimated) if unestimated else None,
        )
