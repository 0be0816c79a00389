"""Obeys the workflow commands of one step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skyflow._util.masking import HIDDEN, Masks
from skyflow.model.annotation import Annotation, AnnotationLevel, LineTag
from skyflow.model.execution import LOG_LIMIT_BYTES
from skyflow.runners.output.commands import COMMANDS, Command, parse_command
from skyflow.runners.output.files import ANSWER_LIMIT_BYTES, FileCommandError, check_variable
from skyflow.runners.output.issues import Issues, annotation_of, valid_text
from skyflow.runners.output.matcher_files import MatcherFileError, read_matchers
from skyflow.runners.output.matchers import Matchers
from skyflow.runners.output.room import OutputRoom

__all__ = ["AttemptMemory", "StepCommands", "Written"]

_UNSECURE_VARIABLE = "ACTIONS_ALLOW_UNSECURE_COMMANDS"
_WEAK_TOKEN_VARIABLE = "ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS"  # noqa: S105 -- the name of a variable
_WEAK_TOKENS = COMMANDS | {"pause-logging"}
_DEBUG_VARIABLE = "RUNNER_DEBUG"
_REPLACEMENTS = {
    "set-output": "$GITHUB_OUTPUT",
    "save-state": "$GITHUB_STATE",
    "set-env": "$GITHUB_ENV",
    "add-path": "$GITHUB_PATH",
}
_ECHOED = frozenset({*_REPLACEMENTS, "add-matcher", "remove-matcher", "echo"})


@dataclass(slots=True)
class AttemptMemory:
    """What commands of one step mean for the later steps of the attempt, and how much each of them may print."""

    masks: Masks
    matchers: Matchers
    log_limit_bytes: int = LOG_LIMIT_BYTES


@dataclass(slots=True)
class Written:
    """What a step has set by commands rather than by writing to its files."""

    outputs: dict[str, str] = field(default_factory=dict)
    state: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)


class _RefusedError(Exception):
    """A command cannot be obeyed; the message says why."""


class StepCommands:
    """Reads the output of one step line by line, and obeys what is meant for the runner.

    `error` is why the step has failed although its process may have succeeded: a command that could not be obeyed. `room` is
    for what it prints.
    """

    def __init__(
        self,
        memory: AttemptMemory,
        *,
        workspace: Path,
        env: Mapping[str, str],
        to_outside: Callable[[str], str] = str,
    ) -> None:
        """Begin a step.

        Args:
            memory: what is shared with the other steps.
            workspace: what files are relative to.
            env: the environment of the step, which says what is allowed and whether debug lines are wanted.
            to_outside: gives a path of the step's container as it is on this machine.
        """
        self.memory = memory
        self.room = OutputRoom(memory.log_limit_bytes)
        self.issues = Issues()
        self.written = Written()
        self.error: str | None = None
        self._workspace = workspace
        self._to_outside = to_outside
        self._debug = env.get(_DEBUG_VARIABLE) == "1"
        self._echo = self._debug
        self._unsecure = env.get(_UNSECURE_VARIABLE, "").strip().lower() == "true"
        self._weak_tokens = env.get(_WEAK_TOKEN_VARIABLE, "").strip().lower() == "true"
        self._stop_token: str | None = None
        self._deprecated: set[str] = set()
        self._answer_room = ANSWER_LIMIT_BYTES
        self._handlers: Mapping[str, Callable[[Command], str]] = {
            "error": self._annotate,
            "warning": self._annotate,
            "notice": self._annotate,
            "debug": self._show_debug,
            "group": lambda command: LineTag.GROUP + " ".join(command.data.splitlines()),
            "endgroup": lambda _: LineTag.END_GROUP,
            "echo": self._set_echo,
            "add-mask": self._add_mask,
            "stop-commands": self._stop,
            "add-matcher": self._add_matchers,
            "remove-matcher": self._remove_matchers,
            "set-output": self._set_output,
            "save-state": self._save_state,
            "set-env": self._set_env,
            "add-path": self._add_path,
        }

    def parse(self, line: str) -> Command | None:
        """Return the command that a line is, unless commands are stopped."""
        if self._stop_token is None:
            return parse_command(line)
        command = parse_command(line, (*COMMANDS, self._stop_token))
        return command if command is not None and command.name == self._stop_token else None

    def obey(self, command: Command, line: str) -> str:
        """Do what a command says, and return the lines that stand for it in the log; not yet masked."""
        if self._stop_token is not None:
            self._stop_token = None
            return ""
        echoed = self._echo and command.name in _ECHOED
        try:
            shown = self._handlers[command.name](command)
        except _RefusedError as error:
            what = command.name if command.name == "add-mask" else line.strip()
            message = f"Unable to process command '{what}' successfully. {error}"
            self.error = self.error or valid_text(self.memory.masks.hide_text(message))
            shown = self.issue(AnnotationLevel.ERROR, message)
        return "\n".join(part for part in (line if echoed else "", shown) if part)

    def match(self, line: str) -> str | None:
        """Look for problems in a line of plain output, and return the line that stands for it, if there is one."""
        found = self.memory.matchers.annotate(line)
        if found is None:
            return None
        shown, annotation = found
        self.issues.add(annotation)
        return shown

    def masked_annotations(self) -> tuple[Annotation, ...]:
        """Return the annotations so far, with everything hidden that is masked by now."""
        return self.issues.masked(self.memory.masks.hide_text)

    def issue(self, level: AnnotationLevel, message: str) -> str:
        """Add a remark of the runner's own, and return its line."""
        return self._tell(Annotation(level=level, message=message))

    def _tell(self, annotation: Annotation) -> str:
        self.issues.add(annotation)
        return f"{annotation.tag}{annotation}"

    def _annotate(self, command: Command) -> str:
        return self._tell(annotation_of(command, self._workspace, self._to_outside))

    def _show_debug(self, command: Command) -> str:
        if not self._debug:
            return ""
        return "\n".join(f"{LineTag.DEBUG}{line}" for line in command.data.splitlines())

    def _set_echo(self, command: Command) -> str:
        choice = command.data.strip().lower()
        if choice not in {"on", "off"}:
            raise _RefusedError(f"echo is 'on' or 'off', not '{command.data}'.")
        self._echo = choice == "on"
        return ""

    def _add_mask(self, command: Command) -> str:
        if not command.data.strip():
            return self.issue(AnnotationLevel.WARNING, "add-mask has nothing to hide: its text is empty")
        self.memory.masks.add(command.data)
        return f"::add-mask::{HIDDEN}" if self._echo else ""

    def _stop(self, command: Command) -> str:
        token = command.data.lower()
        if not self._weak_tokens and (not token or token in _WEAK_TOKENS):
            raise _RefusedError("The token of stop-commands is empty, or the name of a command: choose a random text.")
        self._stop_token = token
        return ""

    def _add_matchers(self, command: Command) -> str:
        if not command.data:
            return self.issue(AnnotationLevel.WARNING, "add-matcher names no file")
        try:
            for matcher in read_matchers(self._matcher_file(command.data)):
                self.memory.matchers.add(matcher)
        except MatcherFileError as error:
            return self.issue(AnnotationLevel.WARNING, f"add-matcher: {error}")
        return ""

    def _remove_matchers(self, command: Command) -> str:
        owner, file = command.properties.get("owner"), command.data
        if bool(owner) == bool(file):
            return self.issue(AnnotationLevel.WARNING, "remove-matcher takes an owner or a file, one of both")
        try:
            for name in (owner,) if owner else (each.owner for each in read_matchers(self._matcher_file(file))):
                self.memory.matchers.remove(name)
        except MatcherFileError as error:
            return self.issue(AnnotationLevel.WARNING, f"remove-matcher: {error}")
        return ""

    def _matcher_file(self, name: str) -> Path:
        return self._workspace / self._to_outside(name)

    def _set_output(self, command: Command) -> str:
        self.written.outputs[_name(command)] = self._answer(command)
        return self._deprecate(command)

    def _save_state(self, command: Command) -> str:
        self.written.state[_name(command)] = self._answer(command)
        return self._deprecate(command)

    def _set_env(self, command: Command) -> str:
        self._check_allowed(command)
        name = _name(command)
        try:
            check_variable(name)
        except FileCommandError as error:
            raise _RefusedError(str(error)) from error
        self.written.env[name] = self._answer(command)
        return ""

    def _add_path(self, command: Command) -> str:
        self._check_allowed(command)
        if not command.data:
            raise _RefusedError("add-path names no folder.")
        self.written.path.insert(0, self._answer(command))
        return ""

    def _answer(self, command: Command) -> str:
        """Return what a command says for later steps."""
        self._answer_room -= sum(map(len, command.properties.values())) + len(command.data)
        if self._answer_room < 0:
            raise _RefusedError(
                f"Commands of one step can say {ANSWER_LIMIT_BYTES} bytes in all: hand large data on as artifacts."
            )
        return valid_text(command.data)

    def _check_allowed(self, command: Command) -> None:
        if not self._unsecure:
            raise _RefusedError(
                f"The `{command.name}` command is disabled, since whatever a step prints could use it: write to the file "
                f"{_REPLACEMENTS[command.name]} instead, or set {_UNSECURE_VARIABLE} to `true`."
            )

    def _deprecate(self, command: Command) -> str:
        if command.name in self._deprecated:
            return ""
        self._deprecated.add(command.name)
        file = _REPLACEMENTS[command.name]
        return self.issue(AnnotationLevel.NOTICE, f"`{command.name}` is deprecated: write to the file {file} instead")


def _name(command: Command) -> str:
    name = command.properties.get("name")
    if not name:
        raise _RefusedError(f"Its property `name` is missing: write ::{command.name} name=NAME::VALUE.")
    return valid_text(name)
