"""The workspaces of attempts on another machine: made from the project, each content sent once; then read and written."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from skyflow.model.layout import RunFolder
from skyflow.ports.runner import HashFilesError
from skyflow.ports.transport import LinkLostError, TransportError
from skyflow.runners.remote.data import HostData, HostWorkspace
from skyflow.runners.remote.errand import ErrandRefusedError
from skyflow.runners.remote.files import RemoteFiles
from skyflow.runners.remote.hashing import hash_remote_files
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.paths import PathPairs
from skyflow.runners.remote.project_copy import ProjectCopy
from skyflow.runners.remote.project_files import ProjectFilesError

__all__ = ["RemoteWorkspaces"]


@dataclass(slots=True)
class _Workspace:
    """That of one attempt: `was_made` by an earlier driver, or not; `paths` once it is known to be there."""

    was_made: bool = False
    making: anyio.Lock = field(default_factory=anyio.Lock)
    paths: PathPairs | None = None


class RemoteWorkspaces:
    """One workspace for each attempt, a fresh copy of the project that is brought when it is asked for first."""

    def __init__(self, link: HostLink, *, run: str, folder: RunFolder, tools: Path, project: Path) -> None:
        """Prepare; nothing happens yet.

        Args:
            link: reaches the machine.
            run: names the run.
            folder: the run's folder here.
            tools: the folder that RUNNER_TOOL_CACHE names here.
            project: what is copied.
        """
        self._link = link
        self._run = run
        self._folder = folder
        self._tools = tools
        self._project = project
        self._copy = ProjectCopy(link, project)
        self.data = HostData(link, run=run)
        self._known: dict[tuple[str, int], _Workspace] = {}

    @property
    def marker(self) -> Path:
        """A file that is there while the run may have something on the machine."""
        return self._folder.root / f"on-{self._link.name}"

    def place(self, job_key: str, attempt: int) -> str:
        """Return what an attempt's folder is called on the machine: `RUN/JOB/NUMBER`."""
        return f"{self._run}/{job_key}/{attempt}"

    def expect(self, job_key: str, attempt: int) -> None:
        """Say that an earlier driver made the workspace of an attempt: it is never made again."""
        self._known[job_key, attempt] = _Workspace(was_made=True)

    def forget(self, job_key: str, attempt: int) -> bool:
        """Give an attempt up; return whether it may have a workspace."""
        known = self._known.pop((job_key, attempt), None)
        return known is not None and (known.was_made or known.paths is not None)

    async def paths(self, job_key: str, attempt: int, tell: Callable[[str], None] = lambda _: None) -> PathPairs:
        """Make the workspace of an attempt, once; return where its folders are.

        Args:
            job_key: the job.
            attempt: its attempt.
            tell: takes a line about what was copied.

        Raises:
            LinkLostError: the machine cannot be reached, or has lost the workspace of an attempt that was begun.
            ProjectFilesError, TransportError: the files of the project cannot be read or brought.
        """
        known = self._known.setdefault((job_key, attempt), _Workspace())
        async with known.making:
            if known.paths is None:
                root = await self._link.folder()
                place = self.place(job_key, attempt)
                await self._make(place, tell, was_made=known.was_made)
                known.paths = PathPairs(
                    (
                        (str(self._folder.root), f"{root}/runs/{self._run}"),
                        (str(self._folder.of_node(None).temp(job_key, attempt)), f"{root}/runs/{place}/temp"),
                        (str(self._folder.temp(job_key, attempt)), f"{root}/runs/{place}/temp"),
                        (str(self._tools), f"{root}/tools"),
                        (str(self._project), f"{root}/runs/{place}/work"),
                    )
                )
        return known.paths

    async def hash_files(self, job_key: str, attempt: int, patterns: tuple[str, ...]) -> str:
        """Hash files of an attempt's workspace.

        Raises:
            HashFilesError: it cannot be done.
        """
        try:
            paths = await self.paths(job_key, attempt)
        except (TransportError, ProjectFilesError) as error:
            raise HashFilesError(f"hashFiles on {self._link.name}: {error}") from error
        return await hash_remote_files(self._link, paths.to_there(str(self._project)), patterns)

    async def files(self, job_key: str, attempt: int) -> RemoteFiles:
        """Return what tells which files an attempt's workspace has.

        Raises:
            TransportError, ProjectFilesError: the workspace cannot be made.
        """
        paths = await self.paths(job_key, attempt)
        workspace = paths.to_there(str(self._project))
        place = self.place(job_key, attempt)
        return RemoteFiles(self._link, self.data, paths=paths, workspace=workspace, attempt=place)

    async def keep(self, job_key: str, attempt: int, owner: str, names: Sequence[str]) -> None:
        """Keep files of an attempt's workspace on the machine, in place of what the owner has kept, for jobs that need them.

        Raises:
            TransportError: the machine cannot be reached.
        """
        paths = await self.paths(job_key, attempt)
        with suppress(ErrandRefusedError):  # such as a full disk; the next job has them from elsewhere then
            await self.data.keep(owner, paths.to_there(str(self._project)), names)

    async def destinations(self, job_key: str, attempt: int) -> Sequence[HostWorkspace]:
        """Return where data of an attempt has to go: its workspace, which is there then.

        Raises:
            TransportError, ProjectFilesError: it cannot be made.
        """
        await self.paths(job_key, attempt)
        return (HostWorkspace(self.data, self.place(job_key, attempt)),)

    async def _make(self, place: str, tell: Callable[[str], None], *, was_made: bool) -> None:
        if was_made:
            if not (await self._link.ask("built", folder=place)).get("was", bool):
                raise LinkLostError("the files of this attempt are gone")
            return
        self.marker.parent.mkdir(parents=True, exist_ok=True)
        self.marker.touch()
        event = self._folder.event.read_bytes() if self._folder.event.exists() else b"{}"
        listed, news = await self._copy.brought()
        await self._link.ask("build", event, digest=listed.digest, folder=place, run=self._run)
        tell(f"Workspace on {self._link.name}: {listed.count} files, {listed.size / 1e6:.1f} MB ({news})\n")
