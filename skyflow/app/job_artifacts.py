"""The artifacts of a run as one step has them: what it moves is written down."""

from collections.abc import Sequence
from pathlib import Path

from skyflow.app.transfer_log import TransferLog
from skyflow.model.artifacts import Artifact, Source
from skyflow.model.execution import StepRef
from skyflow.model.transfers import Leg, Way
from skyflow.ports.artifacts import ArtifactStore
from skyflow.ports.clock import Clock

__all__ = ["JobArtifacts"]


class JobArtifacts:
    """An artifact store for one step of a job; see `skyflow.ports.artifacts.ArtifactStore`."""

    def __init__(self, artifacts: ArtifactStore, step: StepRef, *, log: TransferLog, clock: Clock) -> None:
        self._artifacts = artifacts
        self._step = step
        self._log = log
        self._clock = clock

    async def upload(
        self,
        run: str,
        name: str,
        sources: Sequence[Source],
        *,
        by: StepRef,
        retention_days: int,
        overwrite: bool = False,
    ) -> Artifact:
        """Store files under a name."""
        begun = self._clock.monotonic()
        made = await self._artifacts.upload(
            run, name, sources, by=by, retention_days=retention_days, overwrite=overwrite
        )
        seconds = self._clock.monotonic() - begun
        self._log.moved(self._step, name, [Leg(way=Way.TO_STORE, size=made.size, seconds=seconds)])
        return made

    async def artifacts(self, run: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a run, by name."""
        return await self._artifacts.artifacts(run)

    async def download(self, artifact: Artifact, folder: Path) -> None:
        """Write the files of an artifact into a folder."""
        begun = self._clock.monotonic()
        await self._artifacts.download(artifact, folder)
        seconds = self._clock.monotonic() - begun
        self._log.moved(self._step, artifact.name, [Leg(way=Way.FROM_STORE, size=artifact.size, seconds=seconds)])
        self._log.handed_over(self._step, artifact)
