"""When spot machines are there and when they are taken away: at a rate, or as a recorded trace has it."""

import csv
from bisect import bisect_right
from dataclasses import dataclass
from math import inf
from pathlib import Path

from skyflow.errors import UsageError

__all__ = ["SpotTrace", "read_spot_trace"]

_DEFAULT_GAP_SECONDS = 195.0
"""The time between two looks in most of the published traces."""


@dataclass(frozen=True, slots=True)
class SpotTrace:
    """Whether a machine could be had: from each of `starts` (in seconds, ascending) as `available` says, up to `length`."""

    starts: tuple[float, ...]
    available: tuple[bool, ...]
    length: float

    def wait_and_life(self, moment: float) -> tuple[float, float]:
        """Return how long one waits for a machine from a moment on, and how long it is kept then, in seconds.

        After its end, the trace begins anew. A machine that is always there is kept for ever.
        """
        if all(self.available):
            return 0.0, inf
        position = round(moment % self.length, 3)  # a sum of moments is not to end just before a change that it is at
        index = bisect_right(self.starts, position) - 1
        waited, index = self._until(index, position, wanted=True)
        life, _ = self._until(index, self.starts[index] if waited else position, wanted=False)
        return waited, life

    def _until(self, index: int, position: float, *, wanted: bool) -> tuple[float, int]:
        """Return how long it takes until a machine is there, or until it is not, and the entry of the trace that says so."""
        seconds = 0.0
        while self.available[index] != wanted:
            end = self.starts[index + 1] if index + 1 < len(self.starts) else self.length
            seconds += end - position
            index = (index + 1) % len(self.starts)
            position = self.starts[index]
        return seconds, index


def read_spot_trace(path: Path) -> SpotTrace:
    """Read a run-length coded trace: CSV with `start_tick`, `length` and `available_nodes`, and optionally `gap_seconds`.

    Of a file with several traces (`trace_id`) the first is taken.

    Raises:
        UsageError: the file cannot be read, or is not a trace.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        first = [row for row in rows if row.get("trace_id") == rows[0].get("trace_id")]
        gap = float(first[0].get("gap_seconds") or _DEFAULT_GAP_SECONDS)
        starts = tuple(float(row["start_tick"]) * gap for row in first)
        available = tuple(float(row["available_nodes"]) > 0 for row in first)
        length = starts[-1] + float(first[-1]["length"]) * gap
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (KeyError, ValueError, IndexError, TypeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a spot trace: {error}", hint="CSV with the columns start_tick, length, available_nodes"
        ) from error
    if starts[0] != 0 or list(starts) != sorted(starts) or not any(available):
        raise UsageError(
            f"{path} is not a spot trace: it must begin at tick 0, go on in order, and have a machine once"
        )
    return SpotTrace(starts, available, length)
