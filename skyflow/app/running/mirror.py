"""Built-in actions of jobs that run on another machine: they work on a folder here, in which empty files stand for those there.

What they store and what they download does not come here unless it has to: it goes between the other machine and the store
by the shortest way.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from skyflow.app.running.transfer_log import TransferLog
from skyflow.artifacts.contents import Contents
from skyflow.model.artifacts import Artifact, Entry, EntryKind, NewArtifact, Source
from skyflow.model.execution import ActionRequest, StepRef, StepResult
from skyflow.model.layout import RunFolder
from skyflow.model.transfers import with_reading
from skyflow.ports.actions import ActionHost, Workbench
from skyflow.ports.artifacts import ArtifactError, ArtifactsFor, ArtifactStore
from skyflow.runners.remote.paths import PathPairs
from skyflow.runners.router import RunnerRouter

__all__ = ["ContentsOf", "HostMaker", "MirroringHost"]

_LISTING = frozenset({"actions/upload-artifact"})
"""The actions that look at files of the workspace."""

HostMaker = Callable[[Workbench, Path, ArtifactsFor], ActionHost]
"""Makes what runs an action here: on a workbench, in a folder, with artifacts."""

ContentsOf = Callable[[str], Contents]
"""Returns the contents of the store of a name."""


class MirroringHost:
    """Runs the actions of jobs elsewhere; see `skyflow.ports.actions.ActionHost`."""

    def __init__(
        self,
        router: RunnerRouter,
        host_of: HostMaker,
        *,
        artifacts_for: ArtifactsFor,
        transfers: TransferLog,
        contents_of: ContentsOf,
        folder: RunFolder,
        workspace: Path,
    ) -> None:
        """Prepare; nothing happens yet.

        Args:
            router: the runner.
            host_of: makes what runs an action here.
            artifacts_for: those of the run.
            transfers: where it is written down what moves.
            contents_of: what is in the stores.
            folder: where temporary files go.
            workspace: the project, whose path stands for that of the workspace.
        """
        self._router = router
        self._host_of = host_of
        self._artifacts_for = artifacts_for
        self._transfers = transfers
        self._contents_of = contents_of
        self._folder = folder
        self._workspace = workspace

    async def run_action(self, step: StepRef, request: ActionRequest, output: Callable[[str], None]) -> StepResult:
        """Run one phase of an action to its end."""
        mirror = self._folder.temp(step.job_key, step.attempt) / f"{step.place}.files"
        pairs = PathPairs(((str(self._workspace), str(mirror)),))
        here = replace(request, inputs=tuple((name, pairs.to_there(value)) for name, value in request.inputs))
        carrier = _Carrier(
            self._router, request, mirror, pairs, transfers=self._transfers, contents_of=self._contents_of
        )

        def artifacts_for(of: StepRef, say: Callable[[str], None]) -> ArtifactStore:
            return _CarriedArtifacts(self._artifacts_for(of, say), carrier, of)

        host = self._host_of(carrier, mirror, artifacts_for)
        result = await host.run_action(step, here, output)
        return replace(result, outputs=tuple((name, pairs.to_here(value)) for name, value in result.outputs))


class _Carrier:
    """A workbench that shows the files an action looks at, and moves what it stores and downloads."""

    def __init__(
        self,
        router: RunnerRouter,
        request: ActionRequest,
        mirror: Path,
        pairs: PathPairs,
        *,
        transfers: TransferLog,
        contents_of: ContentsOf,
    ) -> None:
        self._router = router
        self._request = request
        self._mirror = mirror
        self._pairs = pairs
        self._transfers = transfers
        self._contents_of = contents_of
        self._shown: Mapping[str, Entry] = {}
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
        """Do the work after what it looks at can be seen."""

        async def carried(say: Callable[[str], None]) -> StepResult:
            self._say = say
            if self._request.name in _LISTING:
                patterns = next((value for name, value in self._request.inputs if name.lower() == "path"), "")
                found = await self._router.matching_files(step, patterns)
                self._shown = {entry.path: entry for entry in found}
                await anyio.to_thread.run_sync(_show, found, self._mirror)
            return await work(lambda text: say(self._pairs.to_here(text)))

        return await self._router.run_here(step, carried, output)

    async def store(self, step: StepRef, new: NewArtifact) -> tuple[NewArtifact, list[Entry]]:
        """Bring the contents of files into the store of the job's place; return where they are, and the entries.

        Raises:
            ArtifactError, OSError: something cannot be stored.
            TransportError: something cannot be read.
        """
        sources = list(new.sources)
        there = [self._entry(source) for source in sources]
        placed = replace(new, store=self._transfers.store_of(step.job_key))
        stored, legs = await self._router.deposit(
            step, there, store=self._contents_of(placed.store), keep_as=str(step), tell=self._say
        )
        self._transfers.moved(step, new.name, legs, store=placed.store)
        return placed, [replace(entry, path=source.path) for entry, source in zip(stored, sources, strict=True)]

    async def deliver(self, step: StepRef, artifact: Artifact, folder: Path) -> None:
        """Put an artifact into the workspace on the other machine, where a folder here stands for one there.

        Raises:
            ArtifactError: the folder is not in the workspace, or something cannot be read.
            TransportError: it cannot be brought.
        """
        if not folder.is_relative_to(self._mirror):
            raise ArtifactError(f"'{folder}' is not in the workspace, and this job runs on another machine")
        inner, contents = folder.relative_to(self._mirror), self._contents_of(artifact.store)
        entries = [
            replace(entry, path=(inner / entry.path).as_posix()) for entry in await contents.entries(artifact.tree)
        ]
        legs = await self._router.deliver(step, entries, store=contents, tell=self._say)
        self._transfers.moved(step, artifact.name, with_reading(legs), store=artifact.store)
        self._transfers.handed_over(step, artifact)

    def _entry(self, source: Source) -> Entry:
        """Return what stands behind a file of the mirror."""
        return self._shown[source.file.relative_to(self._mirror).as_posix()]


class _CarriedArtifacts:
    """The artifacts of a run for a step on another machine."""

    def __init__(self, artifacts: ArtifactStore, carrier: _Carrier, step: StepRef) -> None:
        self._artifacts = artifacts
        self._carrier = carrier
        self._step = step

    async def upload(
        self,
        new: NewArtifact,
        *,
        moved: Callable[[int], None] | None = None,  # noqa: ARG002 -- the transfer tells itself
    ) -> Artifact:
        """Store files of the workspace on the other machine."""
        return await self.enter(*await self._carrier.store(self._step, new))

    async def enter(self, new: NewArtifact, entries: Sequence[Entry]) -> Artifact:
        """Store a list of files under a name."""
        return await self._artifacts.enter(new, entries)

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
        await self._carrier.deliver(self._step, artifact, folder)


def _show(entries: Sequence[Entry], mirror: Path) -> None:
    """Make empty files of the same names, sizes and modes; they take no room."""
    mirror.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if entry.kind is EntryKind.FILE:
            file = mirror / entry.path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stand_in:
                stand_in.truncate(entry.size)
            file.chmod(entry.mode)
