"""Stops steps on another machine, which may not answer."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from skyflow.model.execution import StepRef
from skyflow.ports.transport import TransportError
from skyflow.runners.processes.process import KillLadder
from skyflow.runners.remote.link import HostLink

__all__ = ["FORCED_SECONDS", "RemoteStops", "Underway"]

FORCED_SECONDS = 5.0
"""How long what is ended by force may still be waited for: the machine may be out of reach."""


@dataclass(slots=True)
class Underway:
    """A step under way: `scope` gives up waiting for it; `is_on_machine` says that it may run there."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    is_on_machine: bool = False


class RemoteStops:
    """The steps under way on a machine, and what becomes of those that are to stop."""

    tasks: TaskGroup
    """What sends the signals; there before the first step is stopped."""

    def __init__(
        self, link: HostLink, ladder: KillLadder, *, key: Callable[[StepRef], str], tag: Callable[[StepRef], str]
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            link: reaches the machine.
            ladder: how patient stopping a step is.
            key: names a step there.
            tag: what all processes of a step carry there.
        """
        self._link = link
        self._ladder = ladder
        self._key = key
        self._tag = tag
        self._underway: dict[StepRef, Underway] = {}
        self._stopping: set[StepRef] = set()
        self._stopped_early: set[StepRef] = set()

    def begin(self, step: StepRef) -> Underway:
        """Take note that a step is under way."""
        underway = self._underway[step] = Underway()
        return underway

    def end(self, step: StepRef) -> None:
        """Take note that nobody waits for a step any more."""
        del self._underway[step]
        self._stopping.discard(step)

    def is_stopping(self, step: StepRef) -> bool:
        """Tell whether a step under way was asked to stop."""
        return step in self._stopping

    def came_first(self, step: StepRef) -> bool:
        """Tell whether a step was stopped before it began."""
        return step in self._stopped_early

    def forget(self, job_key: str, attempt: int) -> None:
        """Forget which steps of an attempt were stopped before they began."""
        self._stopped_early = {
            step for step in self._stopped_early if (step.job_key, step.attempt) != (job_key, attempt)
        }

    def stop(self, step: StepRef, *, force: bool) -> None:
        """Begin to stop a step."""
        underway = self._underway.get(step)
        if underway is None:  # it has ended, or it was only just asked for and is about to start
            self._stopped_early.add(step)
            return
        is_first = step not in self._stopping
        self._stopping.add(step)
        if not underway.is_on_machine:
            underway.scope.cancel()
        elif force:
            self.tasks.start_soon(self._kill, step, underway)
        elif is_first:
            self.tasks.start_soon(self._descend, step, underway)

    def stop_all(self) -> None:
        """Begin to stop every step under way."""
        for step in list(self._underway):
            self.stop(step, force=False)

    async def _descend(self, step: StepRef, underway: Underway) -> None:
        """Step down the kill ladder for as long as the step runs."""
        for name, patience in (
            ("INT", self._ladder.interrupt_seconds),
            ("TERM", self._ladder.terminate_seconds),
        ):
            await self._signal(step, name)
            await anyio.sleep(patience)
            if self._underway.get(step) is not underway:
                return
        await self._kill(step, underway)

    async def _kill(self, step: StepRef, underway: Underway) -> None:
        """Kill a step with all it has started; stop waiting for it if the machine does not answer."""
        with anyio.move_on_after(FORCED_SECONDS):
            await self._signal(step, "KILL", tag=self._tag(step))
            while self._underway.get(step) is underway:  # noqa: ASYNC110 -- what comes first, its end or the time
                await anyio.sleep(0.02)
        underway.scope.cancel()

    async def _signal(self, step: StepRef, name: str, *, tag: str = "") -> None:
        with suppress(TransportError):
            await self._link.ask("signal", step=self._key(step), signal=name, tag=tag)
