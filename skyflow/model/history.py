"""All that is stored of a run, by job and attempt."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from skyflow.model.annotation import Annotation, AnnotationRecord
from skyflow.model.machines import MachineRecord
from skyflow.model.run import AttemptRecord, JobRecord, Json, RunOverview, StepRecord, SupersededPlan
from skyflow.model.transfers import TransferRecord

__all__ = ["RunHistory", "last_annotations"]

_Record = TypeVar("_Record")
_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class RunHistory:
    """Everything that is stored of a run but its events; what belongs together is found by indexes, made when asked for.

    `superseded` are its earlier plans, `machines` those that it rented, `transfers` the data that it moved, oldest first.
    `hosts` says on which machines that it did not rent an attempt runs or ran, by the key of its job and its number.
    """

    overview: RunOverview
    jobs: tuple[JobRecord, ...]
    attempts: tuple[AttemptRecord, ...]
    steps: tuple[StepRecord, ...]
    annotations: tuple[AnnotationRecord, ...] = ()
    superseded: tuple[SupersededPlan, ...] = ()
    machines: tuple[MachineRecord, ...] = ()
    transfers: tuple[TransferRecord, ...] = ()
    hosts: Mapping[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)

    @property
    def first_plan(self) -> Json:
        """The plan that the run began with, in its JSON form."""
        return self.superseded[0].plan if self.superseded else self.overview.run.plan

    def attempts_of(self, job_key: str) -> tuple[AttemptRecord, ...]:
        """Return the attempts at a job, first to last."""
        return self._attempts.get(job_key, ())

    def machines_of(self, job_key: str, attempt: int) -> tuple[MachineRecord, ...]:
        """Return the machines that were asked for, for an attempt, in order."""
        return self._machines.get((job_key, attempt), ())

    def transfers_of(self, job_key: str, attempt: int) -> tuple[TransferRecord, ...]:
        """Return what an attempt has moved, in order."""
        return self._transfers.get((job_key, attempt), ())

    def steps_of(self, job_key: str, attempt: int) -> tuple[StepRecord, ...]:
        """Return the steps of an attempt in order."""
        return self._steps.get((job_key, attempt), ())

    @property
    def last_annotations(self) -> tuple[AnnotationRecord, ...]:
        """The annotations of every job's last attempt."""
        return last_annotations(self.attempts, self.annotations)

    def annotations_of(self, job_key: str, attempt: int, position: int) -> tuple[Annotation, ...]:
        """Return the annotations of a step in the order it made them."""
        return tuple(record.annotation for record in self._annotations.get((job_key, attempt, position), ()))

    @cached_property
    def _attempts(self) -> Mapping[str, tuple[AttemptRecord, ...]]:
        return _grouped(self.attempts, lambda each: each.job_key)

    @cached_property
    def _machines(self) -> Mapping[tuple[str, int], tuple[MachineRecord, ...]]:
        return _grouped(self.machines, lambda each: (each.job, each.attempt))

    @cached_property
    def _transfers(self) -> Mapping[tuple[str, int], tuple[TransferRecord, ...]]:
        return _grouped(self.transfers, lambda each: (each.job, each.attempt))

    @cached_property
    def _steps(self) -> Mapping[tuple[str, int], tuple[StepRecord, ...]]:
        return _grouped(self.steps, lambda each: (each.job_key, each.attempt))

    @cached_property
    def _annotations(self) -> Mapping[tuple[str, int, int], tuple[AnnotationRecord, ...]]:
        return _grouped(self.annotations, lambda each: (each.job_key, each.attempt, each.position))


def _grouped(records: Iterable[_Record], key_of: Callable[[_Record], _Key]) -> Mapping[_Key, tuple[_Record, ...]]:
    """Return the records of each key in their order."""
    found: dict[_Key, list[_Record]] = {}
    for record in records:
        found.setdefault(key_of(record), []).append(record)
    return {key: tuple(theirs) for key, theirs in found.items()}


def last_annotations(
    attempts: Iterable[AttemptRecord], annotations: Iterable[AnnotationRecord]
) -> tuple[AnnotationRecord, ...]:
    """Return the annotations that were made by the last attempt at their job."""
    last: dict[str, int] = {}
    for attempt in attempts:
        last[attempt.job_key] = max(attempt.number, last.get(attempt.job_key, 0))
    return tuple(record for record in annotations if record.attempt == last.get(record.job_key))
