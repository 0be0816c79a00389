"""Brings the files of a project to another machine: each content once, and the list of them once."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex

import anyio
import anyio.from_thread
import anyio.to_thread

from skyflow.runners.host_link import HostLink
from skyflow.runners.project_files import FileList, ProjectFiles

__all__ = ["bring_workspace"]

_PIECE_BYTES = 4 * 1024 * 1024
_AT_ONCE = 4


async def bring_workspace(
    link: HostLink, files: ProjectFiles, *, folder: str, run: str, event: bytes, tell: Callable[[str], None]
) -> None:
    """Make the workspace of an attempt on the machine.

    Args:
        link: reaches the machine.
        files: the project.
        folder: the attempt, as `RUN/JOB/NUMBER`.
        run: the run.
        event: the content of the file that GITHUB_EVENT_PATH names.
        tell: takes a line about what was copied.

    Raises:
        ProjectFilesError: the files cannot be read here.
        TransportError: they cannot be written there.
    """
    listed = await anyio.to_thread.run_sync(files.read, anyio.from_thread.check_cancelled)
    missing = await _missing(link, listed)
    copied = 0
    async with anyio.create_task_group() as tasks:
        room = anyio.CapacityLimiter(_AT_ONCE)

        async def send(digest: str) -> None:
            nonlocal copied
            async with room:
                copied += await _send(link, digest, listed.contents[digest])

        for digest in missing:
            tasks.start_soon(send, digest)
    await link.ask("build", event, digest=listed.digest, folder=folder, run=run)
    news = f"{len(missing)} new, {_megabytes(copied)}" if missing else "all known"
    tell(f"Workspace on {link.name}: {listed.count} files, {_megabytes(listed.size)} ({news})\n")


async def _missing(link: HostLink, listed: FileList) -> list[str]:
    answer = await link.ask("tree", digest=listed.digest)
    if not answer.fields["known"]:
        answer = await link.ask("tree", listed.document, digest=listed.digest)
    return list(answer.fields["missing"])


async def _send(link: HostLink, digest: str, path: Path) -> int:
    sent, by = 0, token_hex(6)
    async with await anyio.open_file(path, "rb") as file:
        while True:
            piece = await file.read(_PIECE_BYTES)
            last = len(piece) < _PIECE_BYTES
            await link.ask("blob", piece, digest=digest, offset=sent, last=last, by=by)
            sent += len(piece)
            if last:
                return sent


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
