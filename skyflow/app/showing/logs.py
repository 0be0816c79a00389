"""Looks into the logs of a run: by job, by time, by line, by pattern."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from skyflow._util.log_index import IndexEntry, at_line, at_time, read_index
from skyflow._util.text import did_you_mean
from skyflow.app.project import Project
from skyflow.errors import UsageError
from skyflow.model.execution import StepRef
from skyflow.model.history import RunHistory
from skyflow.model.run import JobRecord, StepRecord

__all__ = ["LogLine", "LogQuery", "StepLogLines", "chosen_jobs", "log_files", "read_since", "step_logs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """What to look for. `job` is a key, id or name; `tail` the number of last lines of each step."""

    job: str | None = None
    since: datetime | None = None
    pattern: re.Pattern[str] | None = None
    tail: int | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line without its newline, its number counted from 1, and about when it was written."""

    number: int
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StepLogLines:
    """What a step printed, as far as it was asked for."""

    title: str
    lines: Iterator[LogLine]


def step_logs(project: Project, history: RunHistory, query: LogQuery) -> Iterator[StepLogLines]:
    """Yield what every step that ran has printed, by job, attempt and step.

    Steps of which nothing was printed since `query.since` are left out, and so are, with a pattern, those without a
    matching line.

    Raises:
        UsageError: the run has no such job.
    """
    for record, step, log in _logs(project, history, query.job):
        if step.started_at is None or (query.since and (step.completed_at or query.since) < query.since):
            continue
        lines = _lines(log, step.started_at, query)
        if query.pattern is not None or query.since is not None:
            first = next(lines, None)
            if first is None:
                continue
            lines = _chained(first, lines)
        yield StepLogLines(_title(record, history.attempts_of(record.key), step), lines)


def log_files(project: Project, history: RunHistory, job: str | None) -> Iterator[Path]:
    """Yield the files with what the steps of a run, or of a job by its key, id or name, have printed; by attempt and step.

    Raises:
        UsageError: the run has no such job.
    """
    return (log for _, _, log in _logs(project, history, job) if log.exists())


def _logs(project: Project, history: RunHistory, job: str | None) -> Iterator[tuple[JobRecord, StepRecord, Path]]:
    folder = project.state.run(history.overview.run.id)
    for record in chosen_jobs(history, job):
        for attempt in history.attempts_of(record.key):
            for step in history.steps_of(record.key, attempt.number):
                yield record, step, folder.log(StepRef(record.key, attempt.number, step.position))


def read_since(text: str, now: datetime) -> datetime:
    """Return the moment that `--since` names: so long ago (`10m`), or a time (`2026-11-23T12:00`), local without a zone.

    Raises:
        UsageError: it is neither.
    """
    from skyflow.model.units import parse_duration_seconds  # noqa: PLC0415 -- only where it is asked for

    try:
        return now - timedelta(seconds=parse_duration_seconds(text))
    except (ValueError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).astimezone(now.tzinfo)
    except ValueError as error:
        raise UsageError(
            f"'{text}' is neither an age nor a time", hint="for example --since 10m or --since 2026-11-23T12:00"
        ) from error


def chosen_jobs(history: RunHistory, name: str | None) -> tuple[JobRecord, ...]:
    """Return the jobs that a name stands for, or all.

    Raises:
        UsageError: the run has no such job.
    """
    if name is None:
        return history.jobs
    lowered = name.lower()
    found = tuple(job for job in history.jobs if lowered in {job.key.lower(), job.spec_id.lower(), job.name.lower()})
    if not found:
        names = [job.name for job in history.jobs]
        raise UsageError(
            f"run {history.overview.run.number} has no job '{name}'",
            hint=did_you_mean(name, names, otherwise=f"it has {', '.join(names)}" if names else None),
        )
    return found


def _title(job: JobRecord, attempts: Sequence[object], step: StepRecord) -> str:
    return f"{job.name}: {step.name}" if len(attempts) == 1 else f"{job.name}, attempt {step.attempt}: {step.name}"


def _chained(first: LogLine, rest: Iterator[LogLine]) -> Iterator[LogLine]:
    yield first
    yield from rest


def _lines(log: Path, began: datetime, query: LogQuery) -> Iterator[LogLine]:
    """Yield the lines that a query asks for; the index leads near the first of them."""
    if not log.exists():
        return
    index = read_index(log)
    start = IndexEntry(0, 0, 0)
    if query.since is not None:
        start = at_time(index, int(query.since.timestamp() * 1000))
    if query.tail is not None:
        first = max(_line_count(log, index) - query.tail, 0)
        start = max(start, at_line(index, first))
        skipped = first - start.line
    else:
        skipped = 0
    upcoming = iter(index[index.index(start) + 1 :] if start in index else index)
    following = next(upcoming, None)
    at = _time(start, began)
    with log.open("rb") as file:
        file.seek(start.offset)
        for number, line in enumerate(file, start.line + 1):
            if following is not None and number > following.line:
                at, following = _time(following, began), next(upcoming, None)
            text = line.decode(errors="replace").removesuffix("\n")
            if number - start.line <= skipped or (query.pattern is not None and not query.pattern.search(text)):
                continue
            if query.since is None or at >= query.since or not index:
                yield LogLine(number, text, at)


def _line_count(log: Path, index: Sequence[IndexEntry]) -> int:
    last = index[-1] if index else IndexEntry(0, 0, 0)
    with log.open("rb") as file:
        file.seek(last.offset)
        return last.line + sum(1 for _ in file)


def _time(entry: IndexEntry, began: datetime) -> datetime:
    return datetime.fromtimestamp(entry.milliseconds / 1000, began.tzinfo) if entry.milliseconds else began
