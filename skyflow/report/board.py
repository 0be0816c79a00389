"""Progress on a terminal: what has ended scrolls up, what runs stays below with its last line of output."""

from collections.abc import Callable
from datetime import datetime
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Status
from skyflow.report.progress import JobProgress, Progress
from skyflow.report.words import COLOURS, Signs, elapsed, reason_text, verdict_text, waiting_text

__all__ = ["BoardReporter"]

_FRAMES_PER_SECOND = 10


class BoardReporter:
    """A live board, as a context manager; the terminal is restored whatever happens."""

    def __init__(self, console: Console, *, now: Callable[[], datetime], total_jobs: int, signs: Signs) -> None:
        self._console = console
        self._now = now
        self._total = total_jobs
        self._signs = signs
        self._progress = Progress(signs)
        self._stopping = ""
        self._spinners: dict[str, Spinner] = {}
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=_FRAMES_PER_SECOND, transient=True
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
            (f"  {took}", "bright_black"),
        )
        if job.outcome is not Conclusion.SUCCESS:
            why = reason_text(job.reason, job.message)
            line.append(f"  {verdict_text(job.outcome, job.conclusion, job.status)}", colour)
            line.append(f": {why}" if why else "", "bright_black")
        if job.outcome is not Conclusion.FAILURE or not job.failed_tail:
            return line
        tail = "\n".join(f"    {self._signs.bar} {escape(text)}" for text in job.failed_tail)
        return Group(line, Text.from_markup(f"[bright_black]    {escape(job.failed_step or '')}[/]\n{tail}"))

    def _render(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", style="bright_black", no_wrap=True)
        table.add_column(style="bright_black", no_wrap=True, overflow="ellipsis", ratio=1)
        done = waiting = 0
        for job in self._progress.jobs.values():
            done += job.status is Status.COMPLETED
            waiting += job.status is Status.QUEUED
            if job.status is Status.IN_PROGRESS:
                spinner = self._spinners.setdefault(job.key, Spinner("dots", style="cyan"))
                line = job.last_line or job.step_name
                table.add_row(spinner, Text(job.name, "bold"), elapsed(job.started_at, self._now()), Text(line))
        total = max(self._total, len(self._progress.jobs))
        footer = f"{done} of {total} jobs done" + (f", {waiting} waiting for a slot" if waiting else "")
        return Group(table, Text(self._stopping or footer, "yellow" if self._stopping else "bright_black"))
