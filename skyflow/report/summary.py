"""How a run ended: its jobs as a table, its step summaries, and one line for the whole."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skyflow.model.annotation import AnnotationRecord
from skyflow.model.run import JobRecord, RunRecord
from skyflow.model.status import Conclusion, Reason, Status
from skyflow.report.annotations import render_annotations
from skyflow.report.words import COLOURS, Signs, elapsed, reason_text, verdict_text

__all__ = ["render_run"]

_MOST_ROWS = 40
"""Above this, only what did not succeed is listed: that is what a reader looks for."""
_MOST_ANNOTATIONS = 50


def render_run(
    run: RunRecord,
    jobs: Sequence[JobRecord],
    *,
    summaries: Sequence[tuple[str, str]],
    annotations: Sequence[AnnotationRecord] = (),
    signs: Signs,
) -> Iterator[RenderableType]:
    """Yield what to print of a run, from top to bottom."""
    if summaries:
        from skyflow.report.step_summaries import render_summaries  # noqa: PLC0415 -- see there

        yield from render_summaries(summaries)
    yield from render_annotations(jobs, annotations, most=_MOST_ANNOTATIONS)
    shown = jobs
    if len(jobs) > _MOST_ROWS:
        shown = [job for job in jobs if job.outcome is not Conclusion.SUCCESS]
        yield Text(
            f"{len(jobs) - len(shown)} jobs in success are not listed; `skyflow show` has them all", "bright_black"
        )
    if shown:
        yield _job_table(shown, signs)
    yield Padding(_verdict(run, jobs), (1, 0, 0, 0))


def _job_table(jobs: Sequence[JobRecord], signs: Signs) -> Table:
    """Return one row per job: how it ended, how long it took, and why."""
    table = Table(box=None, pad_edge=False, header_style="bright_black")
    table.add_column("", width=1)
    table.add_column("job", no_wrap=True, overflow="ellipsis", min_width=10)
    table.add_column("result", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("", style="bright_black", overflow="fold", ratio=1)
    for job in jobs:
        colour = COLOURS[job.conclusion] if job.conclusion else "cyan"
        table.add_row(
            Text(signs.of(job.status, job.conclusion), colour),
            Text(job.name),
            Text(verdict_text(job.outcome, job.conclusion, job.status), colour),
            elapsed(job.started_at, job.completed_at),
            Text(reason_text(job.reason, job.message)),
        )
    return table


def _verdict(run: RunRecord, jobs: Sequence[JobRecord]) -> Text:
    word = run.conclusion.value if run.conclusion else run.status.value.replace("_", " ")
    colour = COLOURS[run.conclusion] if run.conclusion else "yellow"
    counts = [
        f"{count} {conclusion.value}"
        for conclusion in Conclusion
        if (count := sum(job.conclusion is conclusion for job in jobs))
    ]
    open_jobs = sum(job.status is not Status.COMPLETED for job in jobs)
    if open_jobs:
        counts.append(f"{open_jobs} open")
    text = Text.assemble(f"Run {run.number}: ", (word, f"bold {colour}"))
    took = elapsed(run.started_at, run.completed_at)
    text.append(f"{' in ' + took if took else ''} ({', '.join(counts) or 'no jobs'})")
    return text.append(f": {reason_text(run.reason, run.message)}") if _ended_as_a_whole(run) else text


def _ended_as_a_whole(run: RunRecord) -> bool:
    """Tell whether the run ended for a reason of its own, which no job has to tell."""
    return run.conclusion is not None and run.reason in {Reason.SUPERSEDED, Reason.EXPRESSION}
