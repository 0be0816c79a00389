"""The values that the template of the report shows: everything is worked out here, the template only arranges it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from markupsafe import Markup

from skyflow.model.annotation import Annotation
from skyflow.model.execution import StepRef
from skyflow.model.graph import Standing
from skyflow.model.placement import Placement
from skyflow.model.resources import LOCAL
from skyflow.model.run import AttemptRecord, JobRecord, StepRecord
from skyflow.model.units import format_duration
from skyflow.report.graph_words import offering_text, place_text, standing_sign
from skyflow.report.page.costs import Spent
from skyflow.report.page.data import ReportData
from skyflow.report.page.logs import last_lines_html, log_html
from skyflow.report.page.timeline import Axis, Link, critical_path
from skyflow.report.words import Signs, elapsed, reason_text

__all__ = ["AttemptView", "Bar", "JobView", "StepView", "job_views", "tally"]

_SIGNS = Signs()


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the time line: where it begins and how wide it is, in percent, and what it is, a class of the style sheet."""

    left: str
    width: str
    kind: str


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
    """One job: a row of the time line, and an entry of the list."""

    anchor: str
    key: str
    name: str
    sign: str
    kind: str
    standing: str
    took: str
    estimate: str
    compared: str
    place: str
    why: str
    is_failed: bool
    is_critical: bool
    bars: tuple[Bar, ...]
    matrix: str
    outputs: tuple[tuple[str, str], ...]
    attempts: tuple[AttemptView, ...]

    @property
    def failed_steps(self) -> tuple[StepView, ...]:
        """The steps that made the last attempt fail."""
        steps = self.attempts[-1].steps if self.attempts else ()
        return tuple(step for step in steps if step.kind == "failure")


def tally(jobs: tuple[JobView, ...]) -> list[tuple[str, str, int]]:
    """Return how many jobs stand how: the class, the words, the number."""
    counts = Counter(job.standing for job in jobs)
    return [(each.name.lower(), str(each), counts[each]) for each in Standing if counts[each]]


def job_views(
    data: ReportData, placed: dict[str, Placement], axis: Axis, spent: Mapping[tuple[str, int], Spent]
) -> tuple[tuple[JobView, ...], tuple[Link, ...]]:
    """Return every job of a run, `spent` on its attempts, and the chain that decided when it ended."""
    history = data.history
    run = history.overview.run
    path = critical_path(history.jobs, history.attempts, data.needs, began=run.started_at)
    critical = {link.key for link in path}
    maker = _Maker(data, placed, axis, critical, spent)
    return tuple(maker.job(index, job) for index, job in enumerate(history.jobs)), path


class _Maker:
    """Looks up once what every job needs."""

    def __init__(
        self,
        data: ReportData,
        placed: dict[str, Placement],
        axis: Axis,
        critical: set[str],
        spent: Mapping[tuple[str, int], Spent],
    ) -> None:
        self._spent = spent
        self._data = data
        self._placed = placed
        self._axis = axis
        self._critical = critical
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

    def job(self, index: int, job: JobRecord) -> JobView:
        standing = Standing.of(job.status, job.outcome, job.conclusion)
        placement = self._placed.get(job.key)
        attempts = self._attempts.get(job.key, [])
        return JobView(
            anchor=f"job-{index}",
            key=job.key,
            name=job.name,
            sign=standing_sign(standing, _SIGNS),
            kind=standing.name.lower(),
            standing=str(standing),
            took=elapsed(job.started_at, job.completed_at),
            estimate=_estimate(placement),
            compared=_compared(job, placement),
            place="" if placement is None or placement.offering.provider == LOCAL else place_text(placement),
            why=reason_text(job.reason, job.message),
            is_failed=standing is Standing.FAILURE,
            is_critical=job.key in self._critical,
            bars=tuple(self._bars(job, attempts)),
            matrix=_matrix(job),
            outputs=tuple(job.outputs.items()),
            attempts=tuple(self._attempt(attempt) for attempt in attempts),
        )

    def _bars(self, job: JobRecord, attempts: list[AttemptRecord]) -> list[Bar]:
        """Return the waits and the attempts of a job, in the order of time."""
        bars: list[Bar] = []
        free = job.queued_at
        for attempt in attempts:
            bars.append(self._bar(free, attempt.started_at, "wait"))
            end = attempt.completed_at or self._data.made_at
            standing = Standing.of(attempt.status, None, attempt.conclusion)
            if job.conclusion is not None and attempt is attempts[-1]:
                standing = Standing.of(job.status, job.outcome, job.conclusion)
            bars.append(self._bar(attempt.started_at, end, standing.name.lower()))
            free = end
        return [bar for bar in bars if bar.kind != "wait" or float(bar.width) > 0]

    def _bar(self, begin: datetime, end: datetime, kind: str) -> Bar:
        left, right = self._axis.share(begin), self._axis.share(end)
        return Bar(f"{100 * left:.2f}", f"{100 * max(0.0, right - left):.2f}", kind)

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


def _estimate(placement: Placement | None) -> str:
    if placement is None:
        return ""
    return ("~" if placement.is_duration_assumed else "") + format_duration(placement.duration_seconds)


def _compared(job: JobRecord, placement: Placement | None) -> str:
    """Return the time that a job took as a share of its estimate; nothing where the estimate was only assumed."""
    if placement is None or placement.is_duration_assumed or not placement.duration_seconds:
        return ""
    if job.started_at is None or job.completed_at is None:
        return ""
    return f"{(job.completed_at - job.started_at).total_seconds() / placement.duration_seconds:.0%}"


def _matrix(job: JobRecord) -> str:
    if not isinstance(job.matrix, dict):
        return ""
    return ", ".join(f"{name}: {value}" for name, value in job.matrix.items())
