"""When spot machines are there and when they are taken away: at a rate, or as a recorded trace has it."""

import csv
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from random import Random

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

    def wait_and_life(self, chance: Random) -> tuple[float, float]:
        """Return how long one waits for a machine from a random moment on, and how long it is kept then, in seconds."""
        moment = chance.random() * self.length
        index = bisect_right(self.starts, moment) - 1
        waited, position = 0.0, moment
        for _ in range(2 * len(self.starts)):
            end = self.starts[index + 1] if index + 1 < len(self.starts) else self.length
            if self.available[index]:
                return waited, self._life(index, position)
            waited += end - position
            index = (index + 1) % len(self.starts)
            position = self.starts[index]
        return waited, 0.0

    def outage(self, chance: Random) -> float:
        """Return how long it takes from a random loss of a machine until there is one again, in seconds."""
        ends = (*self.starts[1:], self.length)
        gaps = [
            end - start for start, end, is_there in zip(self.starts, ends, self.available, strict=True) if not is_there
        ]
        return chance.choice(gaps) if gaps else 0.0

    def _life(self, index: int, position: float) -> float:
        life = 0.0
        for _ in range(len(self.starts)):
            if not self.available[index]:
                return life
            end = self.starts[index + 1] if index + 1 < len(self.starts) else self.length
            life += end - position
            index = (index + 1) % len(self.starts)
            position = self.starts[index]
        return life


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
