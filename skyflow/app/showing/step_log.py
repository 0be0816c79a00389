"""The whole log of one step, read a page at a time: from some line on, or only lines with a text in them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from skyflow._util.log_index import IndexEntry, at_line, read_index
from skyflow.app.project import Project
from skyflow.app.showing.history import read_run
from skyflow.app.showing.logs import chosen_jobs
from skyflow.errors import UsageError
from skyflow.model.execution import StepRef
from skyflow.model.history import RunHistory
from skyflow.model.run import JobRecord, StepRecord
from skyflow.model.status import Conclusion, Status

__all__ = ["NumberedLine", "StepLog", "find_step_log"]

_MOST_CHARACTERS = 10_000
"""What is shown of one line; a browser would need seconds for one of megabytes."""


@dataclass(frozen=True, slots=True)
class NumberedLine:
    """A line without its newline, and its number counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """What one step has printed: `step` is one of the `steps` of an attempt at a `job`, which had so many `attempts`."""

    history: RunHistory
    job: JobRecord
    attempts: int
    steps: tuple[StepRecord, ...]
    step: StepRecord
    path: Path

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.step.status is Status.COMPLETED

    def count(self) -> int:
        """Return how many lines there are, without reading all of them."""
        if not self.path.exists():
            return 0
        last = (read_index(self.path) or [IndexEntry(0, 0, 0)])[-1]
        with self.path.open("rb") as file:
            file.seek(last.offset)
            return last.line + sum(1 for _ in file)

    def lines(self, *, after: int, most: int, text: str = "") -> list[NumberedLine]:
        """Return lines that come after the one with this number, only those with a text in upper or lower case if one is given.

        A last line that is still being written is left out.
        """
        return list(islice(self._lines(after, text.lower().encode()), most))

    def _lines(self, after: int, text: bytes) -> Iterator[NumberedLine]:
        if not self.path.exists():
            return
        start = at_line(read_index(self.path), after)
        with self.path.open("rb") as file:
            file.seek(start.offset)
            for number, line in enumerate(file, start.line + 1):
                if number <= after or (text and text not in line.lower()):
                    continue
                if line.endswith(b"\n") or self.has_ended:
                    shown = line.decode(errors="replace").removesuffix("\n")
                    yield NumberedLine(number, shown[:_MOST_CHARACTERS])


def find_step_log(
    project: Project, run: str, job: str, *, attempt: int | None = None, position: int | None = None
) -> StepLog:
    """Return the log of a step; of those of the last attempt, the one that runs, has failed or was last unless one is named.

    Raises:
        UsageError: there is no such run, job, attempt or step.
    """
    history = read_run(project, run)
    record = chosen_jobs(history, job)[0]
    attempts = history.attempts_of(record.key)
    number = attempt if attempt is not None else len(attempts)
    steps = tuple(step for step in history.steps_of(record.key, number) if step.started_at is not None)
    named = [step for step in steps if position in {None, step.position}]
    if not named:
        raise UsageError(f"no such step of job '{record.name}' has run", hint="its page says which have")
    telling = [step for step in named if step.status is not Status.COMPLETED or step.outcome is Conclusion.FAILURE]
    step = (telling or named)[-1 if not telling else 0]
    folder = project.state.run(history.overview.run.id)
    return StepLog(
        history=history,
        job=record,
        attempts=len(attempts),
        steps=steps,
        step=step,
        path=folder.log(StepRef(record.key, number, step.position)),
    )
