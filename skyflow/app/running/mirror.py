"""Built-in actions of jobs that run on another machine: they work on a folder here, whose files come from there.

What they download does not come here: it goes to the other machine by the shortest way.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from skyflow.app.running.transfer_log import TransferLog
from skyflow.artifacts.contents import Contents
from skyflow.model.artifacts import Artifact, NewArtifact
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.transfers import with_reading
from skyflow.ports.actions import ActionHost, Workbench
from skyflow.ports.artifacts import ArtifactError, ArtifactsFor, ArtifactStore
from skyflow.runners.remote.paths import PathPairs
from skyflow.runners.router import RunnerRouter

__all__ = ["HostMaker", "MirroringHost"]

_FETCHING = frozenset({"actions/upload-artifact"})

HostMaker = Callable[[Workbench, Path, ArtifactsFor], ActionHost]
"""Makes what runs an action here: on a workbench, in a folder, with artifacts."""


class MirroringHost:
    """Runs the actions of jobs elsewhere; see `skyflow.ports.actions.ActionHost`."""

    def __init__(
        self,
        router: RunnerRouter,
        host_of: HostMaker,
        *,
        artifacts_for: ArtifactsFor,
        transfers: TransferLog,
        contents: Contents,
        folder: RunFolder,
        workspace: Path,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            router: the runner.
            host_of: makes what runs an action here.
            artifacts_for: those of the run.
            transfers: where it is written down what moves.
            contents: what is in them.
            folder: where temporary files go.
            workspace: the project, whose path stands for that of the workspace.
        """
        self._router = router
        self._host_of = host_of
        self._artifacts_for = artifacts_for
        self._transfers = transfers
        self._contents = contents
        self._folder = folder
        self._workspace = workspace

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end."""
        mirror = self._folder.temp(step.job_key, step.attempt) / f"{step.place}.files"
        pairs = PathPairs(((str(self._workspace), str(mirror)),))
        here = replace(request, inputs=tuple((name, pairs.to_there(value)) for name, value in request.inputs))
        carrier = _Carrier(self._router, request, mirror, pairs, self._transfers)

        def artifacts_for(of: StepRef, say: Callable[[str], None]) -> ArtifactStore:
            return _DeliveredArtifacts(self._artifacts_for(of, say), self._contents, carrier, of)

        host = self._host_of(carrier, mirror, artifacts_for)
        result = await host.run_action(step, here, output)
        return replace(result, outputs=tuple((name, pairs.to_here(value)) for name, value in result.outputs))


class _Carrier:
    """A workbench that brings the files an action needs before it begins, and delivers what it downloads."""

    def __init__(
        self, router: RunnerRouter, request: ActionRequest, mirror: Path, pairs: PathPairs, transfers: TransferLog
    ) -> None:
        self._router = router
        self._request = request
        self._mirror = mirror
        self._pairs = pairs
        self._transfers = transfers
        self._say: Callable[[str], None] = lambda _: None

    def seen_outside(self, step: StepRef, request: ActionRequest) -> ActionRequest | None:
        """Return None: no step of a job elsewhere runs in a container."""
        return self._router.seen_outside(step, request)

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of a JavaScript action, which needs no files of this machine."""
        del request  # with the paths of this machine
        return await self._router.run_action(step, self._request, output)

    async def run_here(
        self,
        step: StepRef,
        work: Callable[[Callable[[str], None]], Awaitable[StepResult]],
        output: Callable[[str], None],
    ) -> StepResult:
        """Do the work after what it needs has come."""

        async def carried(say: Callable[[str], None]) -> StepResult:
            self._say = say
            if self._request.name in _FETCHING:
                patterns = next((value for name, value in self._request.inputs if name.lower() == "path"), "")
                leg = await self._router.fetch(step, patterns, self._mirror, keep_as=str(step), tell=say)
                self._transfers.moved(step, self._request.name, [leg])
            return await work(lambda text: say(self._pairs.to_here(text)))

        return await self._router.run_here(step, carried, output)

    async def deliver(self, step: StepRef, artifact: Artifact, contents: Contents, folder: Path) -> None:
        """Put an artifact into the workspace on the other machine, where a folder here stands for one there.

        Raises:
            ArtifactError: the folder is not in the workspace, or something cannot be read.
            TransportError: it cannot be brought.
        """
        if not folder.is_relative_to(self._mirror):
            raise ArtifactError(f"'{folder}' is not in the workspace, and this job runs on another machine")
        inner = folder.relative_to(self._mirror)
        entries = [
            replace(entry, path=(inner / entry.path).as_posix()) for entry in await contents.entries(artifact.tree)
        ]
        legs = await self._router.deliver(step, entries, read=contents.read, tell=self._say)
        self._transfers.moved(step, artifact.name, with_reading(legs))
        self._transfers.handed_over(step, artifact)


class _DeliveredArtifacts:
    """The artifacts of a run for a step on another machine."""

    def __init__(self, artifacts: ArtifactStore, contents: Contents, carrier: _Carrier, step: StepRef) -> None:
        self._artifacts = artifacts
        self._contents = contents
        self._carrier = carrier
        self._step = step

    async def upload(self, new: NewArtifact, *, moved: Callable[[int], None] | None = None) -> Artifact:
        """Store files that have been brought here."""
        return await self._artifacts.upload(new, moved=moved)

    async def artifacts(self, run: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a run, by name."""
        return await self._artifacts.artifacts(run)

    async def download(
        self,
        artifact: Artifact,
        folder: Path,
        *,
        moved: Callable[[int], None] | None = None,  # noqa: ARG002 -- the delivery tells itself
    ) -> None:
        """Write the files of an artifact into the folder of the workspace on the other machine."""
        await self._carrier.deliver(self._step, artifact, self._contents, folder)
