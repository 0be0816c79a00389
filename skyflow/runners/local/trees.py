"""Starts the command of a step where it runs, on the machine or in its container, and finds those that were started."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.runners.containers.contained import ContainedTree, StepContainer
from skyflow.runners.local.surroundings import Surroundings
from skyflow.runners.processes.kept import KeeperClient, KeptProcess
from skyflow.runners.processes.process import TAG_VARIABLE, ProcessTree

__all__ = ["StepTrees"]


class StepTrees:
    """The process trees of the steps of one run."""

    def __init__(self, surroundings: Surroundings, *, folder: RunFolder, run_tag: str, log_limit_bytes: int) -> None:
        """Prepare.

        Args:
            surroundings: tell the container of a step.
            folder: the folder of the run.
            run_tag: what the tags of all its processes begin with.
            log_limit_bytes: how much of what a step prints is kept.
        """
        self._surroundings = surroundings
        self._folder = folder
        self._run_tag = run_tag
        self._most_bytes = log_limit_bytes + 1  # one more shows that it was more

    def tag(self, job_key: str, attempt: int) -> str:
        """Return what the tags of all processes of an attempt begin with."""
        return f"{self._run_tag}/{job_key}/{attempt}/"

    def start(
        self, keeper: KeeperClient, step: StepRef, command: Sequence[str], *, cwd: str, env: Mapping[str, str]
    ) -> ProcessTree:
        """Start a command; `cwd` and the paths in the others are those of its container, if it has one.

        Raises:
            OSError: it cannot be started.
            ValueError: a variable has a zero byte in it.
        """
        container = self._surroundings.container(step)
        if container is not None:
            command, env = container.command(command, cwd=cwd, env=env, pid_file=self._pid_file(step).name)
        folder = self._surroundings.workspace if container is not None else Path(cwd)
        tagged = {**env, TAG_VARIABLE: self._step_tag(step)}
        kept = keeper.launch(
            str(step), command, cwd=folder, env=tagged, spool=self._spool(step), most_bytes=self._most_bytes
        )
        return self._tree(step, kept, container)

    def adopted(self, step: StepRef, kept: KeptProcess) -> ProcessTree:
        """Return the tree of a step that an earlier driver has started."""
        return self._tree(step, kept, self._surroundings.container(step))

    def _tree(self, step: StepRef, kept: KeptProcess, container: StepContainer | None) -> ProcessTree:
        tag, spool = self._step_tag(step), self._spool(step)
        if container is None:
            return ProcessTree(kept, tag=tag, spool=spool)
        return ContainedTree(kept, tag=tag, spool=spool, container=container, pid_file=self._pid_file(step))

    def _step_tag(self, step: StepRef) -> str:
        return f"{self.tag(step.job_key, step.attempt)}{step.place}/"

    def _spool(self, step: StepRef) -> Path:
        return self._folder.temp(step.job_key, step.attempt) / f"{step.place}.out"

    def _pid_file(self, step: StepRef) -> Path:
        return self._folder.temp(step.job_key, step.attempt) / f"{step.place}.pid"
