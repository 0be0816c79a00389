"""How actions are executed."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from skyflow.model.execution import ActionRequest, StepRef, StepResult

__all__ = ["ActionHost", "ContainerMissingError", "Workbench"]


class ContainerMissingError(Exception):
    """A step should run in a container that was not started; the message is for the user."""


class ActionHost(Protocol):
    """Runs one phase of an action: a built-in one, or a JavaScript file."""

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end; that it fails is a result, never an exception.

        `output` receives whole lines, already masked, after they were written to the log of the step. The runner's
        `stop_step` stops an action as it stops a script.
        """
        ...


class Workbench(ActionHost, Protocol):
    """What built-in actions need of the runner, which runs JavaScript actions itself."""

    def seen_outside(self, step: StepRef, request: ActionRequest) -> ActionRequest | None:
        """Return a request whose paths are those of this machine; None if the step does not run in a container.

        Raises:
            ContainerMissingError: the container that the step should run in could not be started.
        """
        ...

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do some work of skyflow's own as a step, and return its result.

        `work` gets a function that takes text for the log, to be called from the event loop only; the text is treated
        like that of any step, commands and masks included. `stop_step` cancels the work.
        """
        ...
