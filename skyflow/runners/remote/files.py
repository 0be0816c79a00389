"""Files that built-in actions need of another machine, copied to a folder here."""

from collections.abc import Callable
from pathlib import Path

import anyio

from skyflow._util.glob import make_glob
from skyflow.runners.remote.hashing import matching_files
from skyflow.runners.remote.link import HostLink

__all__ = ["fetch_files"]

_PIECE_BYTES = 4 * 1024 * 1024
_AT_ONCE = 8


async def fetch_files(
    link: HostLink, *, workspace: str, patterns: str, target: Path, moved: Callable[[int], None]
) -> list[str]:
    """Copy the files of a workspace that match to the same places in a folder here; return where these are in it.

    Args:
        link: reaches the machine.
        workspace: the folder there.
        patterns: one per line, as actions take them; only what is in the workspace is found.
        target: the folder here, which is there afterwards.
        moved: told how many bytes have come.

    Raises:
        PatternError: a pattern cannot be used.
        TransportError: a file cannot be read there.
        OSError: one cannot be written here.
    """
    await anyio.Path(target).mkdir(parents=True, exist_ok=True)
    glob = make_glob(patterns, workspace=Path(workspace))
    walked = await link.ask("walk", folder=workspace)
    room = anyio.CapacityLimiter(_AT_ONCE)

    async def fetch(name: str) -> None:
        async with room:
            await _fetch(link, workspace, name, target / name, moved)

    names = matching_files(glob.patterns, Path(workspace), walked)
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(fetch, name)
    return names


async def _fetch(link: HostLink, workspace: str, name: str, target: Path, moved: Callable[[int], None]) -> None:
    await anyio.Path(target.parent).mkdir(parents=True, exist_ok=True)
    at, mode = 0, 0o644
    async with await anyio.open_file(target, "wb") as file:
        while True:
            answer = await link.ask("read", folder=workspace, path=name, offset=at, most=_PIECE_BYTES)
            mode = answer.get("mode", int) & 0o777
            await file.write(answer.data)
            at += len(answer.data)
            moved(len(answer.data))
            if len(answer.data) < _PIECE_BYTES:
                break
    await anyio.Path(target).chmod(mode)
