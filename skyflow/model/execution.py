"""What a runner is asked to do for one step, and what it reports back."""

from dataclasses import dataclass

from skyflow.model.annotation import Annotation

__all__ = ["LOG_LIMIT_BYTES", "ActionRequest", "Pairs", "StepRef", "StepRequest", "StepResult"]

Pairs = tuple[tuple[str, str], ...]
"""Names with values, in order; a later entry of the same name wins."""
LOG_LIMIT_BYTES = 4 * 10**9
"""How much of what one step prints is kept, unless the project says otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class StepRef:
    """One step of one attempt at one job; `position` counts from 1.

    `inner` leads on to a step inside the composite action that the step uses, and so forth.
    """

    job_key: str
    attempt: int
    position: int
    inner: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """The position as text, `2` or `2.1.3`: unique within the attempt, fit for a file name."""
        return ".".join(map(str, (self.position, *self.inner)))

    def __str__(self) -> str:
        """Return `build#1/2`: job, attempt, step."""
        return f"{self.job_key}#{self.attempt}/{self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """A script to run, with every expression already evaluated.

    `shell` is a built-in name or a command with `{0}`; None leaves the choice to the runner. `env` adds to the
    runner's own environment, lowest precedence first. `path` entries go before PATH, the first of them first.
    `notice` is a line for the log before anything else.
    """

    script: str
    shell: str | None = None
    working_directory: str | None = None
    env: Pairs = ()
    path: tuple[str, ...] = ()
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequest:
    """A built-in or JavaScript action to run, with every expression already evaluated.

    `name` is that of a built-in action in lower case and without its version (`actions/cache`), or empty for a
    JavaScript action, whose file for node is `script`. `phase` is `main` or `post`; `inputs` are those of `with` and
    the action's defaults; `env` and `path` are as in `StepRequest`; `state` is what the main phase saved.
    """

    name: str
    script: str = ""
    phase: str = "main"
    inputs: Pairs = ()
    env: Pairs = ()
    path: tuple[str, ...] = ()
    state: Pairs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How the process ended and what the step wrote to its command files.

    `exit_code` is None when no process ran to its end: it could not be started (`not_started` says why), it was stopped
    (`stopped`), its machine was taken away (`preempted`), or lost in the middle of it (`lost` says how). `masks` are all texts that the attempt
    wants hidden so far, in every form, longest first. `file_error` says which command file cannot be read, or which
    command cannot be obeyed, and why; such a step has failed. `state` is what the step saved for its own clean-up. `annotations` are masked.
    """

    exit_code: int | None
    stopped: bool = False
    preempted: bool = False
    not_started: str | None = None
    lost: str | None = None
    file_error: str | None = None
    masks: tuple[str, ...] = ()
    outputs: Pairs = ()
    state: Pairs = ()
    env: Pairs = ()
    path: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
