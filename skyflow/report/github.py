"""Progress for a log of GitHub Actions: every step is a group that folds, annotations are GitHub's own.

GitHub's groups can neither overlap nor nest, and jobs run at the same time. So one step at a time is shown as it goes;
what others print meanwhile is kept aside and shown as a whole when its turn comes.
"""

from collections import deque
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import TextIO

from skyflow.model.annotation import Annotation, AnnotationLevel
from skyflow.model.execution import StepRef
from skyflow.model.run import Transition
from skyflow.model.status import Conclusion, Entity, Status
from skyflow.report.lines import OutputLines
from skyflow.report.run_progress import JobProgress, RunProgress, is_tried_again
from skyflow.report.words import elapsed, reason_text, signs_for, verdict_text, waiting_text
from skyflow.report.workflow_commands import annotation_command, group_command, guarded

__all__ = ["GithubReporter"]

_KEPT_IN_MEMORY = 1024 * 1024
_PIECE = 1024 * 1024


class _Section:
    """A part of the log that is written in one go: the output of a step, or a line about a job."""

    def __init__(self, heading: str = "") -> None:
        self.heading = heading
        self.is_ended = False
        self._aside: SpooledTemporaryFile[str] | None = None

    def put_aside(self, text: str) -> None:
        """Keep text until the section's turn comes."""
        if self._aside is None:
            self._aside = SpooledTemporaryFile(  # noqa: SIM115 -- closed when it was read
                _KEPT_IN_MEMORY, "w+", encoding="utf-8", errors="replace", newline=""
            )
        self._aside.write(text)

    def write_to(self, stream: TextIO) -> None:
        """Write the heading and what was kept."""
        stream.write(self.heading)
        if self._aside is None:
            return
        self._aside.seek(0)
        while piece := self._aside.read(_PIECE):
            stream.write(piece)
        self._aside.close()


class GithubReporter:
    """Writes a run so that GitHub folds and annotates it; `quiet` leaves the output of steps out."""

    def __init__(self, stream: TextIO, *, token: str, quiet: bool = False) -> None:
        self._stream = stream
        self._token = token
        self._quiet = quiet
        self._signs = signs_for(stream.encoding)
        self._progress = RunProgress(self._signs)
        self._sections: deque[_Section] = deque()
        self._steps: dict[StepRef, tuple[_Section, OutputLines]] = {}

    def moved(self, transition: Transition, at: datetime) -> None:
        """Begin or end the group of a step, say how a job ended."""
        job = self._progress.moved(transition, at)
        if job is None:
            return
        if transition.entity is Entity.STEP and transition.job_key is not None:
            step = StepRef(transition.job_key, transition.attempt or 0, transition.position or 0)
            if transition.new is Status.IN_PROGRESS:
                self._begin(step, job)
            elif transition.new is Status.COMPLETED:
                self._end(step, job, transition)
        elif transition.entity is Entity.JOB and transition.new is Status.COMPLETED:
            self._say(_job_line(job, self._signs.of(job.status, job.conclusion)))
        elif is_tried_again(transition):
            why = reason_text(transition.reason, transition.message)
            self._say(f"[{job.name}] {self._signs.waiting} {why}\n")

    def output(self, step: StepRef, text: str) -> None:
        """Write what a step printed, or keep it until its turn comes."""
        self._progress.output(step, text)
        if self._quiet:
            return
        own = StepRef(step.job_key, step.attempt, step.position)  # what is inside an action belongs to its step
        section, lines = self._steps.get(own) or (None, OutputLines(self._signs))
        shown = guarded("".join(f"{line}\n" for line in lines.shown(text)), self._token)
        if section is None:  # of a process that a step has left behind
            self._say(shown)
        else:
            self._write(section, shown)

    def waits(self, job_key: str | None, group: str) -> None:
        """Say what a job, or the run, waits for."""
        self._say(f"{self._progress.prefix(job_key)}{waiting_text(group)}\n")

    def asked_to_stop(self, *, force: bool) -> None:
        """Say so, between two groups."""
        self._say("killing what still runs\n" if force else "stopping; interrupt again to kill what still runs\n")

    def _begin(self, step: StepRef, job: JobProgress) -> None:
        section = _Section(f"{group_command(f'{job.name}: {job.step_name}')}\n")
        self._steps[step] = section, OutputLines(self._signs)
        self._enqueue(section)

    def _end(self, step: StepRef, job: JobProgress, move: Transition) -> None:
        name = job.steps.get(step.position, "")
        where = f"{job.name}: {name}"
        commands = [annotation_command(annotation, where=where) for annotation in _annotations(move)]
        section, _ = self._steps.pop(step, (None, None))
        if section is None:
            if move.conclusion is Conclusion.FAILURE:  # it never ran, as when an expression in it failed
                self._say(_failure(where, move))
            return
        failed = move.data.get("outcome") == Conclusion.FAILURE.value
        tail = "".join(f"{command}\n" for command in commands)
        self._write(section, f"{tail}::endgroup::\n{_failure(where, move) if failed else ''}")
        section.is_ended = True
        self._go_on()

    def _say(self, text: str) -> None:
        section = _Section(text)
        section.is_ended = True
        self._enqueue(section)

    def _enqueue(self, section: _Section) -> None:
        self._sections.append(section)
        if self._sections[0] is section:
            section.write_to(self._stream)
            self._go_on()

    def _write(self, section: _Section, text: str) -> None:
        if self._sections and self._sections[0] is section:
            self._stream.write(text)
            self._stream.flush()
        else:
            section.put_aside(text)

    def _go_on(self) -> None:
        """Leave the sections behind that have ended, and write the next ones, up to one that has not."""
        while self._sections and self._sections[0].is_ended:
            self._sections.popleft()
            if self._sections:
                self._bring_ended_forward()
                self._sections[0].write_to(self._stream)
        self._stream.flush()

    def _bring_ended_forward(self) -> None:
        """Let what has ended go first, so that it does not wait for a step that lasts."""
        ended = [section for section in self._sections if section.is_ended]
        going = [section for section in self._sections if not section.is_ended]
        self._sections = deque((*ended, *going))


def _annotations(move: Transition) -> list[Annotation]:
    found = move.data.get("annotations")
    return [Annotation.from_json(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _failure(where: str, move: Transition) -> str:
    error = Annotation(level=AnnotationLevel.ERROR, message=reason_text(move.reason, move.message))
    return f"{annotation_command(error, where=where)}\n"


def _job_line(job: JobProgress, sign: str) -> str:
    why = reason_text(job.reason, job.message)
    took = elapsed(job.started_at, job.completed_at)
    text = f"{sign} {verdict_text(job.outcome, job.conclusion, job.status)}{': ' + why if why else ''}"
    return f"[{job.name}] {text}{' in ' + took if took else ''}\n"
