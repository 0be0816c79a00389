"""A run as Markdown, for the summary page of the CI job that skyflow runs in."""

from collections.abc import Sequence

from skyflow.model.annotation import AnnotationRecord
from skyflow.model.run import JobRecord, RunRecord
from skyflow.report.annotations import annotations_by_jobs, who_text
from skyflow.report.words import Signs, elapsed, reason_text, verdict_text

__all__ = ["SUMMARY_LIMIT_BYTES", "run_markdown"]

SUMMARY_LIMIT_BYTES = 1024 * 1024
"""GitHub drops a larger one."""
_ROOM_FOR_LAST_LINE = 200
_MOST_ANNOTATIONS = 50


def run_markdown(
    run: RunRecord,
    jobs: Sequence[JobRecord],
    *,
    annotations: Sequence[AnnotationRecord],
    summaries: Sequence[tuple[str, str]] = (),
    graph: str = "",
    limit: int = SUMMARY_LIMIT_BYTES,
) -> str:
    """Return a heading, a graph, a table of the jobs, the annotations, and as many step summaries as there is room for.

    `graph` is in Mermaid's language, or empty.
    """
    state = run.conclusion.value if run.conclusion else run.status.value.replace("_", " ")
    took = elapsed(run.started_at, run.completed_at)
    lines = [f"### {_cell(run.workflow_name)}: {state}{' in ' + took if took else ''}", ""]
    if graph:
        lines += ["```mermaid", graph.rstrip(), "```", ""]
    lines += ["| | job | result | time | |", "|---|---|---|--:|---|"]
    for job in jobs:
        cells = (
            Signs().of(job.status, job.conclusion),
            job.name,
            verdict_text(job.outcome, job.conclusion, job.status),
            elapsed(job.started_at, job.completed_at),
            reason_text(job.reason, job.message),
        )
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    listed = [
        f"- {_cell(who_text(names))}: {_cell(str(annotation))}"
        for names, found in annotations_by_jobs(jobs, annotations)
        for annotation in found
    ]
    if listed:
        lines += ["", *listed[:_MOST_ANNOTATIONS]]
    if len(listed) > _MOST_ANNOTATIONS:
        lines.append(f"- and {len(listed) - _MOST_ANNOTATIONS} more")
    text = "\n".join([*lines, "", ""])
    for position, (name, markdown) in enumerate(summaries):
        part = f"#### {_cell(name)}\n\n{markdown.rstrip()}\n\n"
        if len(text.encode()) + len(part.encode()) > limit - _ROOM_FOR_LAST_LINE:
            return f"{text}{len(summaries) - position} more step summaries: `skyflow show --summary {run.number}`\n\n"
        text += part
    return text


def _cell(text: str) -> str:
    """Return text that stays in its cell and is shown as it is."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, f"\\{character}" if character not in "<>" else f"&#{ord(character)};")
    return " ".join(text.split())
