"""Files that built-in actions need of another machine, or make for it: copied to a folder here, and from one."""

import json
import os
import stat
from pathlib import Path
from secrets import token_hex

import anyio

from skyflow._util.glob import make_glob
from skyflow.runners.host_link import HostLink
from skyflow.runners.remote_hashing import matching_files

__all__ = ["fetch_files", "send_files"]

_PIECE_BYTES = 4 * 1024 * 1024
_AT_ONCE = 8


async def fetch_files(link: HostLink, *, workspace: str, patterns: str, target: Path) -> None:
    """Copy the files of a workspace that match to the same places in a folder here.

    Args:
        link: reaches the machine.
        workspace: the folder there.
        patterns: one per line, as actions take them; only what is in the workspace is found.
        target: the folder here, which is there afterwards.

    Raises:
        PatternError: a pattern cannot be used.
        TransportError: a file cannot be read there.
        OSError: one cannot be written here.
    """
    await anyio.Path(target).mkdir(parents=True, exist_ok=True)
    glob = make_glob(patterns, workspace=Path(workspace))
    listed = json.loads((await link.ask("walk", folder=workspace)).data)
    room = anyio.CapacityLimiter(_AT_ONCE)

    async def fetch(name: str) -> None:
        async with room:
            await _fetch(link, workspace, name, target / name)

    async with anyio.create_task_group() as tasks:
        for name in matching_files(glob.patterns, Path(workspace), listed):
            tasks.start_soon(fetch, name)


async def send_files(link: HostLink, *, place: str, source: Path) -> None:
    """Copy everything in a folder here to the same places in the workspace of an attempt.

    Args:
        link: reaches the machine.
        place: the attempt, as `RUN/JOB/NUMBER`.
        source: the folder here.

    Raises:
        TransportError: a file cannot be written there.
        OSError: one cannot be read here.
    """
    files = [Path(base, name) for base, _, names in os.walk(source) for name in names]
    room = anyio.CapacityLimiter(_AT_ONCE)

    async def send(file: Path) -> None:
        async with room:
            await _send(link, place, file.relative_to(source).as_posix(), file)

    async with anyio.create_task_group() as tasks:
        for file in files:
            tasks.start_soon(send, file)


async def _fetch(link: HostLink, workspace: str, name: str, target: Path) -> None:
    await anyio.Path(target.parent).mkdir(parents=True, exist_ok=True)
    at, mode = 0, 0o644
    async with await anyio.open_file(target, "wb") as file:
        while True:
            answer = await link.ask("read", folder=workspace, path=name, offset=at, most=_PIECE_BYTES)
            mode = answer.fields["mode"]
            await file.write(answer.data)
            at += len(answer.data)
            if len(answer.data) < _PIECE_BYTES:
                break
    await anyio.Path(target).chmod(mode)


async def _send(link: HostLink, place: str, name: str, file: Path) -> None:
    mode = stat.S_IMODE((await anyio.Path(file).stat()).st_mode)
    at, by = 0, token_hex(6)
    async with await anyio.open_file(file, "rb") as reader:
        while True:
            piece = await reader.read(_PIECE_BYTES)
            last = len(piece) < _PIECE_BYTES
            await link.ask("write", piece, folder=place, path=name, offset=at, last=last, mode=mode, by=by)
            at += len(piece)
            if last:
                return
