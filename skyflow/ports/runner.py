"""How steps are executed on a machine."""

from collections.abc import Callable, Collection
from typing import Protocol

from skyflow.model.containers import ContainersRequest, StartedContainers
from skyflow.model.execution import StepRef, StepRequest, StepResult

__all__ = ["HashFilesError", "Runner"]


class HashFilesError(Exception):
    """The files cannot be hashed; the message is for the user."""


class Runner(Protocol):
    """Runs the steps of jobs on one kind of machine.

    A step that fails is a result, never an exception.
    """

    async def run_step(self, step: StepRef, request: StepRequest, output: Callable[[str], None]) -> StepResult:
        """Run one script to its end and return how it ended.

        `output` receives whole lines, already masked, after they were written to the log of the step.
        """
        ...

    async def set_up(self, step: StepRef, output: Callable[[str], None], *, minutes: float | None = None) -> StepResult:
        """Have a machine for an attempt, with the project on it; called first for every job that runs elsewhere.

        Returns at once for an attempt that has its machine. `minutes` is how long the job may take, if somebody has said so.
        """
        ...

    async def start_containers(
        self, step: StepRef, request: ContainersRequest, output: Callable[[str], None]
    ) -> tuple[StepResult, StartedContainers | None]:
        """Start the containers of an attempt and wait until its services are ready.

        From then on the steps of the attempt run in its container, if it has one. When they cannot be started the result
        says why, and there is no second value; what was started already is removed by `stop_containers` or `release`.
        """
        ...

    async def stop_containers(self, step: StepRef, output: Callable[[str], None]) -> StepResult:
        """Show what the services of an attempt printed, then stop and remove its containers and their network."""
        ...

    def stop_step(self, step: StepRef, *, force: bool) -> None:
        """Ask a running step to end: interrupt, terminate, kill, with time in between; at once when `force`.

        Returns at once; `run_step` returns when the whole process tree is gone. Harmless for a step that has ended.
        """
        ...

    async def release(self, job_key: str, attempt: int) -> None:
        """End everything an attempt left running, containers as well, and remove its temporary files; called once, at its end."""
        ...

    async def recover(self, attempts: Collection[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Take over from an earlier, dead driver of this run; called once, before anything starts.

        Of the attempts given (job key and number), return those that can go on where they are: `run_step` returns at once
        what a step of theirs has answered before, and sees one through that still runs. Everything else that is left of the
        run is ended.
        """
        ...

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Return, for the workspace of an attempt, what `hashFiles` gives for its arguments: a SHA-256 of the matching files, or nothing without any.

        Raises:
            HashFilesError: an argument is not valid, a file cannot be read, or it takes too long.
        """
        ...
