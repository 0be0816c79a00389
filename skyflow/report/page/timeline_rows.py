"""The rows of the time line: when each job was to begin, when it did, how long it waited and took."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from skyflow.model.graph import GraphJob, Standing
from skyflow.model.placement import Placement
from skyflow.model.run import AttemptRecord, JobRecord
from skyflow.model.units import format_duration
from skyflow.report.page.data import ReportData
from skyflow.report.page.timeline import Axis
from skyflow.report.words import elapsed

__all__ = ["Bar", "Row", "axis_of_run", "has_estimates", "timeline_rows"]

_FIRST_SECONDS = 10.0
_GROWTH = 1.25
"""How the time line of a run that goes on grows: in steps, so that what has ended stays where it is for a while."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the time line: where it begins and how wide it is, in percent, and what it is, a class of the style sheet."""

    left: str
    width: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One job. `planned` and `began` count from the beginning of the run; `anchor` is empty for one that is yet to come."""

    id: str
    anchor: str
    name: str
    standing: str
    is_critical: bool
    bars: tuple[Bar, ...]
    planned: str
    began: str
    waited: str
    took: str
    estimate: str
    compared: str


def has_estimates(placed: Mapping[str, Placement]) -> bool:
    """Tell whether a plan says when jobs begin because the workflow says how long they take."""
    return any(not placement.is_duration_assumed for placement in placed.values())


def axis_of_run(data: ReportData, *, grows: bool) -> Axis:
    """Return the axis of a run; one that `grows` reaches beyond now, and as far as the plan."""
    spans = [(attempt.started_at, attempt.completed_at or data.made_at) for attempt in data.history.attempts]
    began = data.history.overview.run.started_at
    if grows and began is not None:
        ends = [data.planned_starts[key] + timedelta(seconds=one.duration_seconds) for key, one in data.placed.items()]
        planned = (max(ends) - began).total_seconds() if has_estimates(data.placed) else 0.0
        length, so_far = max(planned, _FIRST_SECONDS), (data.made_at - began).total_seconds()
        while length < so_far:
            length *= _GROWTH
        spans.append((data.made_at, began + timedelta(seconds=length)))
    return Axis.over(spans)


def timeline_rows(data: ReportData, axis: Axis, critical: AbstractSet[str]) -> list[Row]:
    """Return a row for every job that has run, and, while the run goes on, for those that wait.

    Those that are yet to come have one too where the plan knows when.

    Args:
        data: the run.
        axis: where moments are.
        critical: the keys of the jobs that decided when it ended.
    """
    maker = _Maker(data, axis, critical)
    rows = [maker.of_job(index, job) for index, job in enumerate(data.history.jobs)]
    if data.history.overview.run.conclusion is not None:
        return [row for row in rows if row.began]
    if has_estimates(data.placed):
        known = {job.key for job in data.history.jobs}
        jobs = enumerate(job for node in data.graph.nodes for job in node.jobs)
        rows += [
            maker.of_coming(index, job)
            for index, job in jobs
            if job.standing is Standing.WAITING and job.key not in known
        ]
    return rows


class _Maker:
    """Looks up once what every row needs."""

    def __init__(self, data: ReportData, axis: Axis, critical: AbstractSet[str]) -> None:
        self._data = data
        self._placed = data.placed
        self._axis = axis
        self._critical = critical
        self._with_plan = has_estimates(data.placed)
        self._began = data.history.overview.run.started_at
        self._attempts: dict[str, list[AttemptRecord]] = {}
        for attempt in data.history.attempts:
            self._attempts.setdefault(attempt.job_key, []).append(attempt)

    def of_job(self, index: int, job: JobRecord) -> Row:
        attempts = self._attempts.get(job.key, [])
        placement = self._placed.get(job.key)
        began = attempts[0].started_at if attempts else None
        return Row(
            id=f"row-{index}",
            anchor=f"job-{index}",
            name=job.name,
            standing=str(Standing.of(job.status, job.outcome, job.conclusion)),
            is_critical=job.key in self._critical,
            bars=(*_visible(self._planned_bar(job.key)), *self._bars(job, attempts)),
            planned=self._planned(job.key),
            began=self._offset(began),
            waited=elapsed(job.queued_at, began),
            took=elapsed(job.started_at, job.completed_at),
            estimate=_estimate(placement),
            compared=_compared(job, placement),
        )

    def of_coming(self, index: int, job: GraphJob) -> Row:
        placement = self._placed.get(job.key, job.placement)
        return Row(
            id=f"coming-{index}",
            anchor="",
            name=job.name,
            standing=str(Standing.WAITING),
            is_critical=False,
            bars=tuple(_visible(self._planned_bar(job.key))),
            planned=self._planned(job.key),
            began="",
            waited="",
            took="",
            estimate=_estimate(placement),
            compared="",
        )

    def _offset(self, at: datetime | None) -> str:
        text = elapsed(self._began, at)
        return f"+{text}" if text else ""

    def _planned(self, key: str) -> str:
        return self._offset(self._data.planned_starts.get(key)) if self._with_plan else ""

    def _planned_bar(self, key: str) -> Iterable[Bar]:
        begin, placement = self._data.planned_starts.get(key), self._placed.get(key)
        if begin is not None and placement is not None and self._with_plan:
            yield self._bar(begin, begin + timedelta(seconds=placement.duration_seconds), "expected")

    def _bars(self, job: JobRecord, attempts: Sequence[AttemptRecord]) -> Iterable[Bar]:
        """Yield the waits and the attempts of a job, in the order of time."""
        free = job.queued_at
        for attempt in attempts:
            yield from _visible([self._bar(free, attempt.started_at, "wait")])
            end = attempt.completed_at or self._data.made_at
            standing = Standing.of(attempt.status, None, attempt.conclusion)
            if job.conclusion is not None and attempt is attempts[-1]:
                standing = Standing.of(job.status, job.outcome, job.conclusion)
            yield self._bar(attempt.started_at, end, standing.name.lower())
            free = end

    def _bar(self, begin: datetime, end: datetime, kind: str) -> Bar:
        left, right = self._axis.share(begin), self._axis.share(end)
        return Bar(f"{100 * left:.2f}", f"{100 * max(0.0, right - left):.2f}", kind)


def _visible(bars: Iterable[Bar]) -> Iterable[Bar]:
    """Return the bars that have a width: that do not lie beyond the end of the axis, for one."""
    return (bar for bar in bars if float(bar.width) > 0)


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
