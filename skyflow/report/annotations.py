"""Annotations of a run: those of each job, and those that several jobs share."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from skyflow.model.annotation import Annotation, AnnotationLevel, AnnotationRecord
from skyflow.model.run import JobRecord

__all__ = ["annotations_by_jobs", "render_annotations", "who_text"]

_COLOURS = {AnnotationLevel.ERROR: "red", AnnotationLevel.WARNING: "yellow", AnnotationLevel.NOTICE: "cyan"}
_MOST_NAMES = 3


def annotations_by_jobs(
    jobs: Sequence[JobRecord], records: Sequence[AnnotationRecord]
) -> list[tuple[list[str], list[Annotation]]]:
    """Return the names of jobs with what they remarked, errors first, then by place.

    What several jobs remarked, such as those of one matrix, comes once and after what single jobs did.
    """
    makers: dict[Annotation, set[str]] = {}
    for record in records:
        makers.setdefault(record.annotation, set()).add(record.job_key)
    found: dict[tuple[int, ...], list[Annotation]] = {}
    for record in records:
        keys = makers[record.annotation]
        where = tuple(index for index, job in enumerate(jobs) if job.key in keys)
        if where and (len(keys) == 1 or record.annotation not in found.get(where, [])):
            found.setdefault(where, []).append(record.annotation)
    return [
        ([jobs[index].name for index in where], sorted(found[where], key=lambda annotation: annotation.reading_order))
        for where in sorted(found, key=lambda where: (len(where) > 1, where))
    ]


def who_text(names: Sequence[str]) -> str:
    """Return the names of a few jobs, or how many they are."""
    return ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} jobs"


def render_annotations(
    jobs: Sequence[JobRecord], records: Sequence[AnnotationRecord], *, most: int | None = None
) -> Iterator[RenderableType]:
    """Yield a heading for each job, or jobs, with annotations, and below it one line or more for each of them."""
    left = most
    hidden = 0
    for names, annotations in annotations_by_jobs(jobs, records):
        shown = annotations if left is None else annotations[:left]
        hidden += len(annotations) - len(shown)
        left = None if left is None else left - len(shown)
        if shown:
            yield Text.assemble("Annotations of ", who_text(names), style="bold")
            lines = [Text(str(annotation), _COLOURS[annotation.level]) for annotation in shown]
            yield Padding(Text("\n").join(lines), (0, 0, 1, 2), expand=False)
    if hidden:
        yield Text(f"{hidden} more annotations are not listed; `skyflow show` has them all", "bright_black")
