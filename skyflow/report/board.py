"""Progress on a terminal: what has ended scrolls up, what runs stays below with its last line of output.

The board is drawn several times a second, so its lines are put together by hand; tables of rich cost ten times as much.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.text import Text

from skyflow.model.execution import StepRef
from skyflow.model.resources import LOCAL
from skyflow.model.run import JobRecord, Transition
from skyflow.model.status import Conclusion, Entity, Reason, Status
from skyflow.model.units import format_grams, format_usd
from skyflow.report.forecast import Forecast
from skyflow.report.graph_words import place_text, shortened
from skyflow.report.run_progress import JobProgress, RunProgress, is_tried_again
from skyflow.report.words import (
    COLOURS,
    Signs,
    ascii_signs,
    elapsed,
    reason_text,
    verdict_text,
    waiting_text,
    whole_seconds,
)

__all__ = ["BoardReporter"]

_FRAMES_PER_SECOND = 8
_SECONDS_BETWEEN_FORECASTS = 1.0
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_SPINNER = "|/-\\"
_DIM = "bright_black"
_MOST_ROWS = 30
_ROWS_AROUND = 4
"""Lines of the terminal that are left to what scrolls up."""
_WIDE = 80
"""From this many columns on, running jobs show their estimate."""
_VERY_WIDE = 120
"""From this many on, also what they have cost and emitted so far."""
_NAME_SHARE = 0.4


class BoardReporter:
    """A live board, as a context manager; the terminal is restored whatever happens.

    `earlier` are the jobs of a run that goes on, as they were left.
    """

    def __init__(
        self,
        console: Console,
        *,
        now: Callable[[], datetime],
        signs: Signs,
        run_number: int,
        forecast: Forecast | None = None,
        earlier: Iterable[JobRecord] = (),
    ) -> None:
        self._console = console
        self._now = now
        self._forecast = forecast
        self._signs = signs
        self._number = run_number
        self._progress = RunProgress(signs, earlier)
        self._stopping = ""
        self._began = now()
        self._left: float | None = None
        self._forecast_at: datetime | None = None
        self._live = Live(
            console=console, get_renderable=self._board, refresh_per_second=_FRAMES_PER_SECOND, transient=True
        )

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was, without the board."""
        self._live.stop()

    def moved(self, transition: Transition, at: datetime) -> None:
        """Let a job that ended scroll up."""
        job = self._progress.moved(transition, at)
        if job is not None and transition.entity is Entity.JOB and transition.new is Status.COMPLETED:
            self._console.print(self._ended(job))
        elif job is not None and is_tried_again(transition):
            self._console.print(
                Text(f"{self._signs.waiting} {job.name}: {reason_text(transition.reason, transition.message)}", _DIM)
            )

    def output(self, step: StepRef, text: str) -> None:
        """Remember the last line."""
        self._progress.output(step, text)

    def waits(self, job_key: str | None, group: str) -> None:
        """Say what a job, or the run, waits for."""
        self._console.print(Text(f"{self._progress.prefix(job_key)}{waiting_text(group)}", "bright_black"))

    def asked_to_stop(self, *, force: bool) -> None:
        """Say so on the board."""
        self._stopping = "killing what still runs" if force else "stopping; Ctrl-C again to kill what still runs"

    def _ended(self, job: JobProgress) -> RenderableType:
        colour = COLOURS[job.conclusion or Conclusion.SUCCESS]
        took = elapsed(job.started_at, job.completed_at)
        line = Text.assemble(
            (f"{self._signs.of(job.status, job.conclusion)} ", colour),
            (job.name, "bold"),
            (f"  {took}", _DIM),
        )
        if job.outcome is not Conclusion.SUCCESS:
            why = reason_text(job.reason, job.message)
            line.append(f"  {verdict_text(job.outcome, job.conclusion, job.status)}", colour)
            line.append(f": {why}" if why else "", _DIM)
        if job.outcome is not Conclusion.FAILURE or not job.failed_tail:
            return line
        step = Text(f"    {job.failed_step or ''}", _DIM)
        tail = (Text(f"    {self._signs.bar} {text}") for text in job.failed_tail)
        return Group(line, step, *tail, Text(f"    all of it: skyflow logs {self._number} {job.key}", _DIM))

    def _board(self) -> "_Board":
        now = self._now()
        due = self._forecast_at is None or (now - self._forecast_at).total_seconds() >= _SECONDS_BETWEEN_FORECASTS
        if self._forecast is not None and due:
            self._left = self._forecast.left_seconds(self._progress.jobs, now)
            self._forecast_at = now
        jobs = list(self._progress.jobs.values())
        return _Board(self._signs, jobs, self._forecast, self._left, began=self._began, now=now, note=self._stopping)


class _Board:
    """One picture of the board, made for the width and height it is drawn in."""

    def __init__(
        self,
        signs: Signs,
        jobs: Sequence[JobProgress],
        forecast: Forecast | None,
        left: float | None,
        *,
        began: datetime,
        now: datetime,
        note: str,
    ) -> None:
        self._signs = signs
        self._jobs = jobs
        self._forecast = forecast
        self._left = left
        self._began = began
        self._now = now
        self._note = note

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        yield from self._rows(width, most=max(1, min(_MOST_ROWS, console.height - _ROWS_AROUND)))
        yield self._note_line() if self._note else self._bar(width)

    def _rows(self, width: int, *, most: int) -> Iterator[Text]:
        running = [job for job in self._jobs if job.status is Status.IN_PROGRESS and job.steps]  # others call workflows
        times = [self._times(job, width) for job in running[:most]]
        names = [shortened(job.name, int(width * _NAME_SHARE)) for job in running[:most]]
        name_width = max(map(cell_len, names), default=0)
        time_width = max(map(len, times), default=0)
        for job, name, time in zip(running, names, times, strict=False):
            line = Text.assemble(
                (self._spinner(), "cyan"), " ", (set_cell_size(name, name_width), "bold"), f"  {time:>{time_width}}  "
            )
            line.append(_fitting(self._doing(job), width - cell_len(line.plain)), _DIM)
            yield line
        if len(running) > most:
            yield Text(f"  and {len(running) - most} more", _DIM)

    def _times(self, job: JobProgress, width: int) -> str:
        took = whole_seconds((self._now - (job.started_at or self._now)).total_seconds())
        if self._forecast is None or width < _WIDE:
            return took
        estimate = self._forecast.estimate_seconds(job.key)
        words = [took if estimate is None else f"{took} of {whole_seconds(estimate)}"]
        if width >= _VERY_WIDE:
            words += _money_and_carbon(*self._forecast.spent(job, self._now))
        return "  ".join(words)

    def _doing(self, job: JobProgress) -> str:
        placement = self._forecast.placement(job.key) if self._forecast else None
        place = "" if placement is None or placement.offering.provider == LOCAL else f"{place_text(placement)}  "
        return f"{place}{job.last_line or job.step_name}".expandtabs(2)

    def _spinner(self) -> str:
        frames = _ASCII_SPINNER if self._signs is ascii_signs else _SPINNER
        return frames[int((self._now - self._began).total_seconds() * _FRAMES_PER_SECOND) % len(frames)]

    def _spent(self) -> list[str]:
        """Return what all jobs together have cost and emitted so far, as far as that is anything."""
        if self._forecast is None:
            return []
        each = [self._forecast.spent(job, self._now) for job in self._jobs]
        return _money_and_carbon(sum(usd for usd, _ in each), sum(grams for _, grams in each))

    def _note_line(self) -> Text:
        return Text(self._note, "yellow")

    def _bar(self, width: int) -> Text:
        """Return how much of the time has gone, and what is known of the rest; without a forecast, how many jobs have ended."""
        done = [job for job in self._jobs if job.status is Status.COMPLETED]
        total = max(self._forecast.total if self._forecast else 0, len(self._jobs))
        failed = sum(job.conclusion is Conclusion.FAILURE for job in done)
        queued = [job for job in self._jobs if job.status is Status.QUEUED]
        planned = sum(job.reason is Reason.PLANNED_START for job in queued)
        waiting = len(queued) - planned
        so_far = (self._now - self._began).total_seconds()
        words = [f"{len(done)} of {total} jobs done"]
        if failed:
            words.append(f"{failed} failed")
        if waiting:
            words.append(f"{waiting} waiting for a slot")
        if planned:
            words.append(f"{planned} waiting for a planned start")
        words.append(whole_seconds(so_far))
        share = len(done) / total if total else 0.0
        words += self._spent()
        if self._left is not None:
            share = so_far / (so_far + self._left) if self._left else 1.0
            words.append(f"about {whole_seconds(max(1.0, self._left))} left")
        while len(", ".join(words)) > width and len(words) > 1:
            words.pop(-2 if len(words) > 2 else -1)  # noqa: PLR2004 -- the first and the last say most
        text = ", ".join(words)
        room = min(40, width - len(text) - 2)
        if room < 10:  # noqa: PLR2004 -- a shorter bar says nothing
            return Text(text, _DIM)
        full, empty = ("#", ".") if self._signs is ascii_signs else ("━", "─")
        filled = round(room * share)
        return Text.assemble((full * filled, "red" if failed else "cyan"), (empty * (room - filled), _DIM), f"  {text}")


def _money_and_carbon(usd: float, grams: float) -> list[str]:
    return ([format_usd(usd)] if usd else []) + ([f"{format_grams(grams)} CO2e"] if grams else [])


def _fitting(text: str, width: int) -> str:
    """Return as much of a line as there is room for."""
    if width <= 1:
        return ""
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1)}…"
