"""What steps print, and nothing else, each line with the job it belongs to."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from skyflow._util.terminal import one_line
from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Entity
from skyflow.report.lines import OutputLines
from skyflow.report.words import signs_for

__all__ = ["LogReporter"]


class LogReporter:
    """Writes the lines of output that match a pattern, of the jobs that are wanted."""

    def __init__(
        self, stream: TextIO, *, wants: Callable[[str, str], bool], pattern: re.Pattern[str] | None = None
    ) -> None:
        """Prepare.

        Args:
            stream: where to write.
            wants: tells of a job's key and name whether its output is wanted.
            pattern: what a line has to contain; all lines without one.
        """
        self._stream = stream
        self._wants = wants
        self._pattern = pattern
        self._signs = signs_for(stream.encoding)
        self._names: dict[str, str] = {}
        self._lines: dict[StepRef, OutputLines] = {}

    def moved(self, transition: Transition, at: datetime) -> None:  # noqa: ARG002 -- the port's
        """Learn what jobs are called."""
        name = transition.data.get("name")
        if transition.entity is Entity.JOB and isinstance(name, str):
            self._names[transition.job_key or ""] = name

    def output(self, step: StepRef, text: str) -> None:
        """Write what is wanted."""
        name = self._names.get(step.job_key, step.job_key)
        if not self._wants(step.job_key, name):
            return
        shown = self._lines.setdefault(step, OutputLines(self._signs)).shown(text)
        wanted = [line for line in shown if self._pattern is None or self._pattern.search(line)]
        self._stream.write("".join(f"[{one_line(name)}] {self._signs.bar} {line}\n" for line in wanted))
        self._stream.flush()

    def waits(self, *_: object) -> None:
        """Say nothing: it is another process that waits."""

    def asked_to_stop(self, *, force: bool) -> None:
        """Say nothing: it is another process that was asked."""
