"""One script on another machine: how it is asked for there, and what its end means here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skyflow.model.annotation import AnnotationLevel
from skyflow.model.execution import StepRequest, StepResult
from skyflow.runners.onhost.steps import ANSWERS
from skyflow.runners.output.answers import result_of
from skyflow.runners.output.files import KINDS, WrittenElsewhere
from skyflow.runners.output.lines import LogWriter
from skyflow.runners.output.obey import StepCommands
from skyflow.runners.remote.paths import PathPairs
from skyflow.runners.remote.session import StepEnd
from skyflow.runners.remote.verdict import Verdict
from skyflow.runners.shells import Shell

__all__ = ["RemoteStep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteStep:
    """A step whose script runs elsewhere.

    Attributes:
        machine: what the machine is called.
        request: the script, and all that it is given.
        shells: what may run it, the best first.
        workspace: the project here, of which a copy is there.
        summary: where its step summary is kept.
        commands: obeys what it prints.
        writer: takes what it prints.
    """

    machine: str
    request: StepRequest
    shells: tuple[Shell, ...]
    workspace: Path
    summary: Path
    commands: StepCommands
    writer: LogWriter

    def question(self, paths: PathPairs) -> tuple[bytes, dict[str, Any]]:
        """Return the script and the fields with which the supervisor of a machine is asked to start it."""
        there, shell = paths.to_there, self.shells[0]
        script = f"{shell.before}{there(self.request.script)}{shell.after}\n"
        work = Path(there(str(self.workspace)))
        return script.encode(errors="surrogateescape"), {
            "shells": [[there(word) for word in each.words] for each in self.shells],
            "suffix": shell.suffix,
            "cwd": str(work / there(self.request.working_directory or "")),
            "env": {name: there(value) for name, value in self.request.env},
            "path": [there(entry) for entry in self.request.path],
            "files": KINDS,
        }

    def result(self, end: StepEnd, verdict: Verdict, *, is_stopped: bool) -> StepResult:
        """Return what came of it; `is_stopped` tells whether we have ended it."""
        if end.problem:
            return StepResult(exit_code=None, not_started=end.problem)
        if verdict.is_preempted:
            return StepResult(exit_code=None, preempted=True)
        if verdict.lost:
            return StepResult(exit_code=None, lost=verdict.lost)
        if verdict.failure:
            self.writer.add(self.commands.issue(AnnotationLevel.ERROR, verdict.failure))
        elif end.exit_code is None:
            return StepResult(exit_code=None, lost=f"{self.machine} was restarted, or the step killed from outside")
        if end.is_disk_full:
            text = f"the disk of {self.machine} is full: what this step printed and wrote may be incomplete"
            self.writer.add(self.commands.issue(AnnotationLevel.ERROR, text))
        return result_of(
            1 if end.exit_code is None else end.exit_code,
            is_stopped=is_stopped,
            written=WrittenElsewhere(dict(zip(ANSWERS, end.answers, strict=True))),
            commands=self.commands,
            summary=self.summary,
            say=self.writer.add,
        )
