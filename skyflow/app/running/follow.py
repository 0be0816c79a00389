"""Watches a run that another process drives, as if it were driven here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from skyflow.app.project import Project
from skyflow.app.running.drive import ReporterFactory, RunResult, result_of
from skyflow.model.execution import StepRef
from skyflow.model.layout import RunFolder
from skyflow.model.run import Event, RunRecord
from skyflow.model.status import Entity, Status
from skyflow.ports.reporter import Reporter
from skyflow.store.lease import is_leased
from skyflow.store.store import Store, open_store

__all__ = ["follow_run", "wait_for_run"]

_POLL_SECONDS = 0.1
"""How often to look: the driver of the run does not know that we watch."""
_CHUNK_BYTES = 1024 * 1024


def follow_run(name: str, *, project: Project, reporter: ReporterFactory) -> RunResult:
    """Tell a reporter everything that has happened in a run and what happens until it ends or its driver does.

    Raises:
        UsageError: there is no such run.
    """
    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        folder = project.state.run(run.id)
        with reporter(run) as listener:
            anyio.run(_Follower(store, run, folder, listener).follow)
        return result_of(store, run, folder)


def wait_for_run(name: str, *, project: Project, timeout_seconds: float | None = None) -> RunResult | None:
    """Wait until a run ends or its driver does; None when that takes longer than the timeout.

    Raises:
        UsageError: there is no such run.
    """

    async def wait() -> bool:
        with anyio.move_on_after(timeout_seconds):
            while is_leased(folder) and store.find_run(run.id).status is not Status.COMPLETED:  # noqa: ASYNC110 -- another process
                await anyio.sleep(_POLL_SECONDS)
            return True
        return False

    with open_store(project.state, create=False) as store:
        run = store.find_run(name)
        folder = project.state.run(run.id)
        return result_of(store, run, folder) if anyio.run(wait) else None


@dataclass(slots=True)
class _Follower:
    """How far a run has been told."""

    store: Store
    run: RunRecord
    folder: RunFolder
    listener: Reporter
    after: int = 0
    offsets: dict[StepRef, int] = field(default_factory=dict)

    async def follow(self) -> None:
        while True:
            is_driven = is_leased(self.folder)
            events = self.store.events(self.run.id, after=self.after)
            for event in events:
                self._tell(event)
            self._output()
            if not is_driven and not events:
                return
            if events and events[-1].transition.entity is Entity.RUN and events[-1].transition.new is Status.COMPLETED:
                return
            await anyio.sleep(_POLL_SECONDS)

    def _tell(self, event: Event) -> None:
        """Pass a move on; what a step printed comes before its end."""
        move = event.transition
        self.after = event.id
        if move.entity is Entity.STEP:
            step = StepRef(move.job_key or "", move.attempt or 0, move.position or 0)
            if move.new is Status.COMPLETED and step in self.offsets:
                self._read(step)
                del self.offsets[step]
            elif move.new is Status.IN_PROGRESS:
                self.offsets[step] = 0
        self.listener.moved(move, event.at)

    def _output(self) -> None:
        for step in self.offsets:
            self._read(step)

    def _read(self, step: StepRef) -> None:
        for text, end in _whole_lines(self.folder.log(step), self.offsets[step]):
            self.offsets[step] = end
            self.listener.output(step, text)


def _whole_lines(log: Path, offset: int) -> Iterator[tuple[str, int]]:
    """Yield the whole lines behind an offset, in pieces, each with the offset where it ends."""
    if not log.exists():
        return
    with log.open("rb") as file:
        file.seek(offset)
        pending = b""
        while data := file.read(_CHUNK_BYTES):
            pending += data
            end = pending.rfind(b"\n") + 1
            if end:
                offset += end
                yield pending[:end].decode(errors="replace"), offset
                pending = pending[end:]
