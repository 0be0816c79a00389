"""Sentences of the report that sum up what its tables have in full."""

from collections import Counter
from collections.abc import Mapping, Sequence

from skyflow._util.text import sentence_list
from skyflow.model.placement import Placement
from skyflow.model.run import AttemptRecord, JobRecord
from skyflow.report.words import reason_text

__all__ = ["estimates_text", "tries_text"]

_NEAR = 0.2
"""An estimate that is off by no more than this share of it was a good one."""


def estimates_text(jobs: Sequence[JobRecord], placed: Mapping[str, Placement]) -> str:
    """Return how good the estimates of the workflow were; nothing where it gives none for a job that has ended."""
    found: list[tuple[float, str]] = []
    for job in jobs:
        placement = placed.get(job.key)
        if placement is None or placement.is_duration_assumed or not placement.duration_seconds:
            continue
        if job.started_at is not None and job.completed_at is not None:
            took = (job.completed_at - job.started_at).total_seconds()
            found.append((took / placement.duration_seconds, job.name))
    if not found:
        return ""
    near = sum(abs(ratio - 1) <= _NEAR for ratio, _ in found)
    ratio, name = max(found, key=lambda one: (abs(one[0] - 1), one[1]))
    text = f"{near} of {len(found)} estimates were within {_NEAR:.0%}"
    return (
        f"{text}."
        if near == len(found)
        else f"{text}; furthest off was {name}, which took {ratio:.0%} of its estimate."
    )


def tries_text(attempts: Sequence[AttemptRecord]) -> str:
    """Return why jobs were tried again; nothing where none was."""
    last = {attempt.job_key: attempt.number for attempt in attempts}
    given_up = [attempt for attempt in attempts if attempt.number < last[attempt.job_key]]
    counts = Counter(reason_text(one.reason, None) or "for another reason" for one in given_up)
    if not counts:
        return ""
    why = sentence_list(f"{count} x {reason}" for reason, count in counts.most_common())
    return f"{len(given_up)} of {len(attempts)} attempts were followed by another: {why}."
