"""The values that the template of the report shows: everything is worked out here, the template only arranges it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from markupsafe import Markup

from skyflow.model.annotation import Annotation
from skyflow.model.execution import StepRef
from skyflow.model.graph import Standing
from skyflow.model.resources import LOCAL
from skyflow.model.run import AttemptRecord, JobRecord, StepRecord
from skyflow.report.graph_words import offering_text, place_text, standing_sign
from skyflow.report.page.costs import Spent
from skyflow.report.page.data import ReportData
from skyflow.report.page.logs import last_lines_html, log_html
from skyflow.report.words import Signs, elapsed, reason_text

__all__ = ["AttemptView", "JobView", "JobViews", "StepView", "tally"]

_SIGNS = Signs()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; `log` is None where it printed nothing, `last_lines` is empty where it did not fail."""

    position: int
    name: str
    sign: str
    kind: str
    standing: str
    took: str
    why: str
    annotations: tuple[Annotation, ...]
    log: Markup | None
    last_lines: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One try at a job."""

    number: int
    standing: str
    started: datetime
    took: str
    why: str
    machine: str
    usd: float
    steps: tuple[StepView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """One job: an entry of the list."""

    anchor: str
    key: str
    name: str
    sign: str
    kind: str
    standing: str
    took: str
    place: str
    why: str
    is_failed: bool
    matrix: str
    outputs: tuple[tuple[str, str], ...]
    attempts: tuple[AttemptView, ...]

    @property
    def failed_steps(self) -> tuple[StepView, ...]:
        """The steps that made the last attempt fail."""
        steps = self.attempts[-1].steps if self.attempts else ()
        return tuple(step for step in steps if step.kind == "failure")


def tally(jobs: Iterable[JobView]) -> list[tuple[str, str, int]]:
    """Return how many jobs stand how: the class, the words, the number."""
    counts = Counter(job.standing for job in jobs)
    return [(each.name.lower(), str(each), counts[each]) for each in Standing if counts[each]]


class JobViews:
    """Makes the views of jobs, and looks up once what each of them needs."""

    def __init__(self, data: ReportData, spent: Mapping[tuple[str, int], Spent]) -> None:
        self._data = data
        self._placed = data.placed
        self._spent = spent
        self._attempts: dict[str, list[AttemptRecord]] = {}
        self._steps: dict[tuple[str, int], list[StepRecord]] = {}
        self._annotations: dict[tuple[str, int, int], list[Annotation]] = {}
        for attempt in data.history.attempts:
            self._attempts.setdefault(attempt.job_key, []).append(attempt)
        for step in data.history.steps:
            self._steps.setdefault((step.job_key, step.attempt), []).append(step)
        for record in data.history.annotations:
            place = (record.job_key, record.attempt, record.position)
            self._annotations.setdefault(place, []).append(record.annotation)

    def view(self, index: int, job: JobRecord) -> JobView:
        """Return the view of a job, the one with this index in the run."""
        standing = Standing.of(job.status, job.outcome, job.conclusion)
        placement = self._placed.get(job.key)
        return JobView(
            anchor=f"job-{index}",
            key=job.key,
            name=job.name,
            sign=standing_sign(standing, _SIGNS),
            kind=standing.name.lower(),
            standing=str(standing),
            took=elapsed(job.started_at, job.completed_at),
            place="" if placement is None or placement.offering.provider == LOCAL else place_text(placement),
            why=reason_text(job.reason, job.message),
            is_failed=standing is Standing.FAILURE,
            matrix=_matrix(job),
            outputs=tuple(job.outputs.items()),
            attempts=tuple(self._attempt(attempt) for attempt in self._attempts.get(job.key, ())),
        )

    def _attempt(self, attempt: AttemptRecord) -> AttemptView:
        steps = self._steps.get((attempt.job_key, attempt.number), [])
        spent = self._spent.get((attempt.job_key, attempt.number))
        return AttemptView(
            number=attempt.number,
            standing=str(Standing.of(attempt.status, None, attempt.conclusion)),
            started=attempt.started_at,
            took=elapsed(attempt.started_at, attempt.completed_at),
            why=reason_text(attempt.reason, attempt.message),
            machine="" if spent is None else offering_text(spent.offering),
            usd=0.0 if spent is None else spent.usd,
            steps=tuple(self._step(step) for step in steps),
        )

    def _step(self, step: StepRecord) -> StepView:
        standing = Standing.of(step.status, step.outcome, step.conclusion)
        log = self._data.logs.get(StepRef(step.job_key, step.attempt, step.position))
        number = self._data.history.overview.run.number
        return StepView(
            position=step.position,
            name=step.name,
            sign=standing_sign(standing, _SIGNS),
            kind=standing.name.lower(),
            standing=str(standing),
            took=elapsed(step.started_at, step.completed_at),
            why=reason_text(step.reason, step.message),
            annotations=tuple(self._annotations.get((step.job_key, step.attempt, step.position), ())),
            log=None if log is None else log_html(log, command=f"skyflow logs {number} {quote(step.job_key)}"),
            last_lines=last_lines_html(log) if log is not None and standing is Standing.FAILURE else Markup(""),
        )


def _matrix(job: JobRecord) -> str:
    if not isinstance(job.matrix, dict):
        return ""
    return ", ".join(f"{name}: {value}" for name, value in job.matrix.items())
