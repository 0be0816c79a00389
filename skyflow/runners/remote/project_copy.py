"""The files of the project on another machine: each content is sent once, and for all jobs that begin together."""

from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import anyio
import anyio.from_thread
import anyio.to_thread

from skyflow.runners.one_error import one_error
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.project_files import IGNORE_FILE, FileContent, FileList, ProjectFiles, ProjectFilesError
from skyflow.runners.remote.session import MachineRefusedError

__all__ = ["ProjectCopy"]

_PIECE_BYTES = 4 * 1024 * 1024
_AT_ONCE = 4
_TRIES = 3
"""How often the files are listed and sent, when they change under our hands."""


@dataclass(slots=True)
class _Turn:
    """What is done once for all who asked for it before it began."""

    listed: FileList | None = None


class ProjectCopy:
    """What a machine has of the project."""

    def __init__(self, link: HostLink, project: Path) -> None:
        """Prepare; nothing happens yet."""
        self._link = link
        self._files = ProjectFiles(project)
        self._next = _Turn()
        self._sending = anyio.Lock()

    async def brought(self) -> tuple[FileList, str]:
        """Bring the files as they are now; return their list, and what is to be said about that.

        Raises:
            ProjectFilesError: they cannot be read here.
            TransportError, OSError: they cannot be written there.
        """
        turn = self._next
        async with self._sending:
            if turn.listed is not None:
                return turn.listed, "all known"
            if turn is self._next:  # whoever comes from now on may have changed a file before
                self._next = _Turn()
            turn.listed, news = await self._send_all(tries=_TRIES)
            return turn.listed, news

    async def _send_all(self, *, tries: int) -> tuple[FileList, str]:
        """List the files and send what is missing; again when a job that runs here has changed one meanwhile."""
        listed = await anyio.to_thread.run_sync(self._files.read, anyio.from_thread.check_cancelled)
        try:
            return listed, await self._send_missing(listed)
        except (FileNotFoundError, MachineRefusedError, ProjectFilesError):
            if tries == 1:
                raise
            return await self._send_all(tries=tries - 1)

    async def _send_missing(self, listed: FileList) -> str:
        """Send the contents that are not there yet, and return what is to be said about that."""
        missing = await self._missing(listed)
        copied = 0
        with one_error():
            async with anyio.create_task_group() as tasks:
                room = anyio.CapacityLimiter(_AT_ONCE)

                async def send(digest: str) -> None:
                    nonlocal copied
                    async with room:
                        copied += await self._send_whole(digest, listed.contents[digest])

                for digest in missing:
                    tasks.start_soon(send, digest)
        return f"{len(missing)} new, {copied / 1e6:.1f} MB" if missing else "all known"

    async def _missing(self, listed: FileList) -> list[str]:
        answer = await self._link.ask("tree", digest=listed.digest)
        if not answer.get("known", bool):
            answer = await self._link.ask("tree", listed.document, digest=listed.digest)
        return [digest for digest in answer.texts("missing") if digest in listed.contents]

    async def _send_whole(self, digest: str, content: FileContent) -> int:
        try:
            return await self._send(digest, content)
        except MachineRefusedError as error:
            if await anyio.to_thread.run_sync(content.digest) == digest:
                raise
            raise ProjectFilesError(
                f"'{content.path}' keeps changing while it is sent; name it in {IGNORE_FILE} if no job needs it"
            ) from error

    async def _send(self, digest: str, content: FileContent) -> int:
        sent, by = 0, token_hex(6)
        async with await anyio.open_file(content.path, "rb") as file:
            while True:
                wanted = min(_PIECE_BYTES, content.size - sent)
                piece = await file.read(wanted)
                last = len(piece) < wanted or sent + len(piece) == content.size
                await self._link.ask("blob", piece, digest=digest, offset=sent, last=last, by=by)
                sent += len(piece)
                if last:
                    return sent
