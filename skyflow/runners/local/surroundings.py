"""What a step finds around it on this machine: its container if it has one, its folder, its variables, its paths."""

import os
from collections.abc import Mapping
from pathlib import Path

from skyflow.model.execution import ActionRequest, StepRef, StepRequest
from skyflow.ports.actions import ContainerMissingError
from skyflow.runners.containers.contained import StepContainer
from skyflow.runners.containers.engine import ContainerError
from skyflow.runners.containers.jobs import JobContainers
from skyflow.runners.output.files import CommandFiles

__all__ = ["Surroundings"]


class Surroundings:
    """The surroundings of the steps of one run."""

    def __init__(self, *, workspace: Path, inherited: Mapping[str, str], containers: JobContainers | None) -> None:
        """Prepare.

        Args:
            workspace: where steps start.
            inherited: the variables that every step on the machine itself has.
            containers: the containers of jobs; None if no job of the run has any.
        """
        self.workspace = workspace
        self._inherited = inherited
        self._containers = containers

    def container(self, step: StepRef) -> StepContainer | None:
        """Return the container that a step runs in.

        Raises:
            ContainerMissingError: it was not started.
        """
        try:
            return None if self._containers is None else self._containers.of(step)
        except ContainerError as error:
            raise ContainerMissingError(str(error)) from error

    def to_outside(self, step: StepRef, text: str) -> str:
        """Return a path of a step as this machine has it."""
        try:
            container = self.container(step)
        except ContainerMissingError:
            return text
        return container.mounts.to_outside(text) if container is not None else text

    def working_directory(self, request: StepRequest, container: StepContainer | None) -> str:
        """Return where a script starts, as it is called there.

        Raises:
            FileNotFoundError: there is no such folder on this machine.
        """
        wanted = request.working_directory
        cwd = container.working_directory(wanted) if container else str(self.workspace / (wanted or ""))
        outside = container.mounts.to_outside(cwd) if container else cwd
        if (outside != cwd or container is None) and not Path(outside).is_dir():
            raise FileNotFoundError(f"the working directory '{cwd}' does not exist")
        return cwd

    def environment(
        self, request: StepRequest | ActionRequest, files: CommandFiles, container: StepContainer | None
    ) -> dict[str, str]:
        """Return the variables of a step, in its container if it has one."""
        if container is not None:
            files.open_to_all()
            return container.environment({**dict(request.env), **dict(files.variables())}, request.path)
        env = {**self._inherited, **dict(request.env), **dict(files.variables())}
        if request.path:
            env["PATH"] = os.pathsep.join((*request.path, env.get("PATH", os.defpath)))
        return env
