"""When things happened: an axis without the times in which nothing did, and the chain of jobs that decided the end."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from skyflow.model.run import AttemptRecord, JobRecord

__all__ = ["Axis", "Link", "critical_path"]

_LONG_PAUSE = 0.25
"""A time without work that is longer than this share of all work is cut out of the axis ..."""
_SHOWN_PAUSE = 0.03
"""... but for this share of it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps moments to shares of the width; `pauses` are the shares at which time was cut out."""

    knots: tuple[tuple[float, float], ...]
    pauses: tuple[float, ...]

    @classmethod
    def over(cls, spans: Iterable[tuple[datetime, datetime]]) -> "Axis":
        """Return an axis for the times at which something was done, or will be."""
        merged: list[list[float]] = []
        for begin, end in sorted((begin.timestamp(), end.timestamp()) for begin, end in spans):
            if merged and begin <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([begin, end])
        busy = sum(end - begin for begin, end in merged) or 1.0
        knots: list[tuple[float, float]] = []
        pauses: list[float] = []
        length = 0.0
        for begin, end in merged:
            if knots:
                pause = begin - knots[-1][0]
                is_long = pause > _LONG_PAUSE * busy
                if is_long:
                    pauses.append(length + _SHOWN_PAUSE * busy / 2)
                length += _SHOWN_PAUSE * busy if is_long else pause
            knots.append((begin, length))
            length += end - begin
            knots.append((end, length))
        whole = length or 1.0
        return cls(tuple((at, share / whole) for at, share in knots), tuple(share / whole for share in pauses))

    def share(self, at: datetime) -> float:
        """Return where a moment is, 0 at the left and 1 at the right end."""
        moment = at.timestamp()
        after = bisect_left(self.knots, (moment, 0.0))
        if after == 0:
            return 0.0
        if after == len(self.knots):
            return 1.0
        (begin, low), (end, high) = self.knots[after - 1], self.knots[after]
        return low + (high - low) * (moment - begin) / (end - begin) if end > begin else high

    def seconds_wide(self) -> float:
        """Return how many seconds of work the whole width stands for, pauses as they are shown."""
        spans = zip(self.knots[::2], self.knots[1::2], strict=True)  # what ended at once has no width to measure by
        begun, ended = max(spans, key=lambda span: span[1][1] - span[0][1], default=((0.0, 0.0), (0.0, 0.0)))
        share = ended[1] - begun[1]
        return (ended[0] - begun[0]) / share if share > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Link:
    """One job of the chain: how long it waited after the one before had ended, and how long it took."""

    key: str
    waited_seconds: float
    took_seconds: float


def critical_path(
    jobs: Sequence[JobRecord],
    attempts: Sequence[AttemptRecord],
    needs: Mapping[str, Sequence[str]],
    *,
    began: datetime | None,
) -> tuple[Link, ...]:
    """Return the jobs that decided when the run ended, first to last.

    It is followed back from the job that ended last: before each comes the one of its needs that ended last. A job that
    waited longer than that for a slot still follows the need; the wait is part of its link.
    """
    ended = {
        attempt.job_key: attempt.completed_at for attempt in attempts if attempt.completed_at is not None
    }  # jobs that ran; of several attempts the last counts, they are in order
    by_key = {job.key: job for job in jobs if job.key in ended and job.started_at is not None}
    chain: list[Link] = []
    current = max(by_key, key=lambda key: (ended[key], key), default=None)
    while current is not None:
        job = by_key[current]
        before = max(
            (key for key in needs.get(current, ()) if key in by_key), key=lambda key: (ended[key], key), default=None
        )
        free = ended[before] if before is not None else began
        start = job.started_at or ended[current]
        waited = max(0.0, (start - free).total_seconds()) if free is not None else 0.0
        chain.append(Link(current, waited, (ended[current] - start).total_seconds()))
        current = before
    return tuple(reversed(chain))
