"""Stops steps of this machine: what this process does itself is cancelled, processes go down the kill ladder."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio
from anyio.abc import TaskGroup

from skyflow.model.execution import StepRef
from skyflow.runners.processes.process import KillLadder, ProcessTree

__all__ = ["LocalStops"]


class LocalStops:
    """Which steps run, and which of them are being stopped."""

    tasks: TaskGroup
    """What goes down the ladder; there before the first step is stopped."""

    def __init__(self, ladder: KillLadder) -> None:
        """Prepare; `ladder` says how patient stopping is."""
        self._ladder = ladder
        self._running: dict[StepRef, ProcessTree] = {}
        self._scopes: dict[StepRef, anyio.CancelScope] = {}
        self._stopping: dict[StepRef, bool] = {}
        self._stopped_early: dict[StepRef, bool] = {}  # whether by force

    @contextmanager
    def work(self, step: StepRef) -> Iterator[None]:
        """Work here as a step, and leave the work when it is stopped."""
        with anyio.CancelScope() as self._scopes[step]:
            try:
                yield
            finally:
                del self._scopes[step]

    @contextmanager
    def run(self, step: StepRef, tree: ProcessTree) -> Iterator[None]:
        """Know of the processes of a step while it runs; it may have been stopped before, when an earlier driver had begun it."""
        self._running[step] = tree
        if step in self._stopped_early:
            self.stop(step, force=self._stopped_early.pop(step))
        try:
            yield
        finally:
            del self._running[step]

    def stop(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a step."""
        if step in self._scopes:
            self._scopes[step].cancel()
            return
        tree = self._running.get(step)
        if tree is None:  # it has ended, or it was only just asked for and is about to start
            self._stopped_early[step] = force or self._stopped_early.get(step, False)
            return
        if force:
            self._stopping[step] = True
            self.tasks.start_soon(tree.kill)
        elif step not in self._stopping:
            self._stopping[step] = False
            self.tasks.start_soon(self._descend, step, tree)

    def is_before_start(self, step: StepRef) -> bool:
        """Tell whether a step was stopped before it ran."""
        return step in self._stopped_early

    def is_under_way(self, step: StepRef) -> bool:
        """Tell whether a step that ran is being stopped."""
        return step in self._stopping

    def ended(self, step: StepRef) -> bool:
        """Forget a step that has ended; tell whether it was stopped."""
        return self._stopping.pop(step, None) is not None

    def forget(self, job_key: str, attempt: int) -> None:
        """Forget the steps of an attempt that were stopped before they ran."""
        self._stopped_early = {
            step: force
            for step, force in self._stopped_early.items()
            if (step.job_key, step.attempt) != (job_key, attempt)
        }

    async def kill_all(self) -> None:
        """Kill whatever runs."""
        for tree in self._running.values():
            await tree.kill()

    async def _descend(self, step: StepRef, tree: ProcessTree) -> None:
        """Step down the kill ladder for as long as the step runs."""
        await tree.interrupt()
        await anyio.sleep(self._ladder.interrupt_seconds)
        if self._running.get(step) is not tree:
            return
        await tree.terminate()
        await anyio.sleep(self._ladder.terminate_seconds)
        if self._running.get(step) is tree:
            await tree.kill()
