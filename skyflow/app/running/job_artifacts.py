"""The artifacts of a run as one step has them: what it moves is written down."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from skyflow.app.running.transfer_log import TransferLog
from skyflow.model.artifacts import Artifact, Entry, NewArtifact, Source
from skyflow.model.execution import StepRef
from skyflow.model.transfers import Leg, Way
from skyflow.ports.artifacts import ArtifactStore
from skyflow.ports.clock import Clock
from skyflow.runners.transfer_progress import TransferProgress

__all__ = ["JobArtifacts"]


class JobArtifacts:
    """An artifact store for one step of a job; see `skyflow.ports.artifacts.ArtifactStore`."""

    def __init__(
        self, artifacts: ArtifactStore, step: StepRef, *, log: TransferLog, clock: Clock, say: Callable[[str], None]
    ) -> None:
        self._artifacts = artifacts
        self._step = step
        self._log = log
        self._clock = clock
        self._say = say

    async def upload(self, new: NewArtifact, *, moved: Callable[[int], None] | None = None) -> Artifact:
        """Store files under a name."""
        progress = TransferProgress(_size(new.sources), self._say, self._clock)
        new = replace(new, store=self._log.store_of(self._step.job_key))
        made = await self._artifacts.upload(new, moved=moved or progress.add)
        leg = Leg(way=Way.TO_STORE, size=made.size, seconds=progress.seconds)
        self._log.moved(self._step, new.name, [leg], store=made.store)
        return made

    async def enter(self, new: NewArtifact, entries: Sequence[Entry]) -> Artifact:
        """Store a list of files under a name; whoever has moved their contents has written that down."""
        return await self._artifacts.enter(new, entries)

    async def artifacts(self, run: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a run, by name."""
        return await self._artifacts.artifacts(run)

    async def download(self, artifact: Artifact, folder: Path, *, moved: Callable[[int], None] | None = None) -> None:
        """Write the files of an artifact into a folder."""
        progress = TransferProgress(artifact.size, self._say, self._clock)
        await self._artifacts.download(artifact, folder, moved=moved or progress.add)
        leg = Leg(way=Way.FROM_STORE, size=artifact.size, seconds=progress.seconds)
        self._log.moved(self._step, artifact.name, [leg], store=artifact.store)
        self._log.handed_over(self._step, artifact)


def _size(sources: Sequence[Source]) -> int | None:
    """Return how many bytes the files have; None if one of them cannot be looked at, which storing it will say."""
    try:
        return sum(source.file.stat().st_size for source in sources)
    except OSError:
        return None
