"""What a built-in action is, and what it gets to work with when a step calls it."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from skyflow._util.masking import Masks
from skyflow.model.execution import Pairs, StepRef, StepResult
from skyflow.ports.artifacts import ArtifactStore, CacheStore

__all__ = ["ActionCall", "ActionFailure", "BuiltinAction", "Input", "count_of"]

_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})


class ActionFailure(Exception):  # noqa: N818 -- it is how an action fails, not an error of ours
    """The action fails; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an action; `is_ignored` if any value is accepted and nothing is done with it here."""

    description: str
    default: str = ""
    is_required: bool = False
    is_ignored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """One phase of a built-in action, with all it may use.

    `env` is the whole environment of the step. `say` takes text for the log.
    """

    step: StepRef
    run: str
    phase: str
    inputs: Mapping[str, str]
    state: Mapping[str, str]
    env: Mapping[str, str]
    workspace: Path
    home: Path
    artifacts: ArtifactStore
    caches: CacheStore
    secrets: Masks
    say: Callable[[str], None]

    def text(self, name: str) -> str:
        """Return an input without blanks around it."""
        return self.inputs.get(name, "").strip()

    def required(self, name: str) -> str:
        """Return an input that must not be empty.

        Raises:
            ActionFailure: it is.
        """
        if not self.text(name):
            raise ActionFailure(f"Input required and not supplied: {name}")
        return self.text(name)

    def lines(self, name: str) -> list[str]:
        """Return the lines of an input that are not empty."""
        return [line.strip() for line in self.inputs.get(name, "").splitlines() if line.strip()]

    def flag(self, name: str) -> bool:
        """Return an input that is true or false; empty is false.

        Raises:
            ActionFailure: it is neither.
        """
        value = self.text(name)
        if value and value not in _TRUE | _FALSE:
            raise ActionFailure(f"the input '{name}' must be true or false, not '{value}'")
        return value in _TRUE

    def check_stored_name(self, name: str, what: str) -> None:
        """Let a name pass that is going to be stored in the clear.

        Raises:
            ActionFailure: there is a secret in it.
        """
        if self.secrets.hide_text(name) != name:
            raise ActionFailure(f"{what} would be stored for all to see, and there is a secret in it: {name}")

    def print(self, text: str) -> None:
        """Print a line; what names in it hold is no other line, such as one with a command."""
        self.say(f"{' '.join(text.splitlines())}\n")

    def annotate(self, kind: str, text: str) -> None:
        """Print a line that is an annotation: a notice, warning or error."""
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        self.say(f"::{kind}::{escaped}\n")

    @property
    def temp(self) -> Path:
        """A folder for files that are needed until the job ends."""
        return Path(self.env.get("RUNNER_TEMP") or self.workspace / ".skyflow" / "temp")

    @property
    def search_path(self) -> list[Path]:
        """The folders of PATH."""
        return [Path(folder) for folder in self.env.get("PATH", os.defpath).split(os.pathsep) if folder]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltinAction:
    """An action that is part of skyflow. `post_if` says when its post phase runs, if it has one.

    `majors` are the major versions of the original whose inputs are known here. `is_of_machine` if it finds what is
    installed on this machine, which means nothing to a job in a container.
    """

    name: str
    summary: str
    majors: tuple[int, ...]
    perform: Callable[[ActionCall], Awaitable[StepResult]]
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    has_post: bool = False
    is_of_machine: bool = False
    post_if: str = "always()"

    @property
    def defaults(self) -> Pairs:
        """The inputs that have a value when a workflow gives none."""
        return tuple((name, item.default) for name, item in self.inputs.items() if item.default)


def count_of(number: int, word: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
