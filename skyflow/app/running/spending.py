"""What the budget of a run has been spent on: machines for their time, and data that moved.

Data counts as it moved, or as it was planned if that is more: what jobs load themselves nobody sees, but plans know of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from skyflow.model.job_keys import planned
from skyflow.model.machines import MachineRecord
from skyflow.model.placement import Placement
from skyflow.model.run import AttemptRecord
from skyflow.model.status import Status
from skyflow.model.transfers import TransferRecord, crossings

__all__ = ["Spending"]


class Spending:
    """Counts the attempts of a run as they end."""

    def __init__(self, transfers: Callable[[], Sequence[TransferRecord]]) -> None:
        """Begin with nothing spent; `transfers` returns what the run has moved."""
        self._transfers = transfers
        self._planned_data_usd = 0.0
        self._data_usd = 0.0

    def so_far(
        self,
        placements: Mapping[str, Placement],
        attempts: Sequence[AttemptRecord],
        machines: Sequence[MachineRecord],
        now: datetime,
    ) -> float:
        """Return what earlier drivers have spent, in US dollars: for rented machines what they cost, else as it was planned.

        What is under way counts from its beginning when it ends; its machine may have had other jobs before.
        """
        rented = {which for machine in machines for which in (machine.user, (machine.job, machine.attempt))}
        begun = {(each.job_key, each.number): each.started_at for each in attempts if each.status is Status.IN_PROGRESS}
        ended = [each for each in attempts if (each.job_key, each.number) not in begun]
        others = [each for each in ended if (each.job_key, each.number) not in rented]
        return (
            sum(machine.cost_usd(begun.get(machine.user, now)) for machine in machines)
            + sum(_time_usd(planned(placements, each.job_key), _seconds(each)) for each in others)
            + self._more_data(planned(placements, each.job_key) for each in ended)
        )

    def of_attempt(self, placed: Placement | None, seconds: float) -> float:
        """Return what is spent with an attempt that has ended after so many seconds at a place, in US dollars."""
        return _time_usd(placed, seconds) + self._more_data([placed])

    def _more_data(self, ended: Iterable[Placement | None]) -> float:
        """Return what data has cost that was not counted yet, now that attempts at some places have ended."""
        before = self._data_usd
        self._planned_data_usd += sum(placed.transfer_usd for placed in ended if placed is not None)
        moved = sum(each.usd or 0.0 for each in crossings(self._transfers()))
        self._data_usd = max(before, self._planned_data_usd, moved)
        return self._data_usd - before


def _time_usd(placed: Placement | None, seconds: float) -> float:
    return 0.0 if placed is None else placed.offering.price_usd_per_hour * max(seconds, 0.0) / 3600


def _seconds(attempt: AttemptRecord) -> float:
    return 0.0 if attempt.completed_at is None else (attempt.completed_at - attempt.started_at).total_seconds()
