"""Annotations of a run, job by job."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from skyflow.model.annotation import Annotation, AnnotationLevel, AnnotationRecord
from skyflow.model.run import JobRecord

__all__ = ["annotations_by_job", "render_annotations"]

_COLOURS = {AnnotationLevel.ERROR: "red", AnnotationLevel.WARNING: "yellow", AnnotationLevel.NOTICE: "cyan"}


def annotations_by_job(
    jobs: Sequence[JobRecord], records: Sequence[AnnotationRecord]
) -> list[tuple[JobRecord, list[Annotation]]]:
    """Return the jobs that have annotations, each with them: errors first, then by place."""
    found: dict[str, list[Annotation]] = {}
    for record in records:
        found.setdefault(record.job_key, []).append(record.annotation)
    return [
        (job, sorted(found[job.key], key=lambda annotation: annotation.reading_order))
        for job in jobs
        if job.key in found
    ]


def render_annotations(
    jobs: Sequence[JobRecord], records: Sequence[AnnotationRecord], *, most: int | None = None
) -> Iterator[RenderableType]:
    """Yield a heading for each job that has annotations, and below it one line or more for each of them."""
    left = most
    hidden = 0
    for job, annotations in annotations_by_job(jobs, records):
        shown = annotations if left is None else annotations[:left]
        hidden += len(annotations) - len(shown)
        left = None if left is None else left - len(shown)
        if shown:
            yield Text.assemble("Annotations of ", job.name, style="bold")
            lines = [Text(str(annotation), _COLOURS[annotation.level]) for annotation in shown]
            yield Padding(Text("\n").join(lines), (0, 0, 1, 2), expand=False)
    if hidden:
        yield Text(f"{hidden} more annotations are not listed; `skyflow show` has them all", "bright_black")
