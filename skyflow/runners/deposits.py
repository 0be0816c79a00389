"""Brings what a job hands on into a store: what is not there yet, from the machine itself where it can, else through here."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import anyio

from skyflow.model.artifacts import Entry, EntryKind
from skyflow.model.transfers import Leg, Way
from skyflow.ports.artifacts import Blob, ContentStore, SignedRequest
from skyflow.ports.clock import Clock
from skyflow.runners.one_error import one_error
from skyflow.runners.remote.data import HostWorkspace
from skyflow.runners.signed_requests import requests_for
from skyflow.runners.transfer_progress import TransferProgress

__all__ = ["Deposits"]

_AT_ONCE = 8
_MOST_BYTES = 4 * 10**9
"""Services take no more than about five gigabytes in one request; what is larger goes through this machine, in parts."""


class Deposits:
    """Brings contents of machines into stores."""

    def __init__(self, clock: Clock, *, scratch: Path) -> None:
        """Prepare; nothing happens yet.

        Args:
            clock: the time.
            scratch: a folder for what is on its way through this machine, with as much room as artifacts have.
        """
        self._clock = clock
        self._scratch = scratch

    async def deposit(
        self,
        entries: Sequence[Entry],
        origin: HostWorkspace,
        *,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> tuple[list[Entry], list[Leg]]:
        """Store the contents of files; return what was stored, and on what ways how much of it has gone.

        Args:
            entries: files of a workspace, with the contents they had when they were listed, folders and links.
            origin: the workspace.
            store: where they go.
            tell: takes a line for the log.

        Raises:
            TransportError, OSError: a file cannot be read.
            ArtifactError: one cannot be stored.
        """
        files = {entry.content: entry for entry in entries if entry.kind is EntryKind.FILE}
        missing = await store.lacks([Blob(entry.content, entry.size) for entry in files.values()])
        legs: list[Leg] = []
        if files and not missing:
            tell("Nothing has to be stored: all contents are in the store already\n")
        direct = {blob.digest: files[blob.digest] for blob in missing if blob.size <= _MOST_BYTES}
        rest = {blob.digest: files[blob.digest] for blob in missing}
        requests = await requests_for(store, "PUT", list(direct), tell)
        if requests:
            leg, left = await self._directly(direct, requests, origin, store, tell)
            legs += [] if leg is None else [leg]
            rest = {digest: entry for digest, entry in rest.items() if digest not in direct or digest in left}
        stored: Mapping[str, Blob] = {}
        if rest:
            stored, through = await self._through_here(rest, origin, store, tell)
            legs += through
        return [_as_stored(entry, stored) for entry in entries], [leg for leg in legs if leg.size]

    async def _directly(
        self,
        files: Mapping[str, Entry],
        requests: Mapping[str, SignedRequest],
        origin: HostWorkspace,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> tuple[Leg | None, set[str]]:
        """Have the machine send files; return what is left after that."""
        progress = TransferProgress(sum(entry.size for entry in files.values()), tell, self._clock)
        refused = await origin.data.put(origin.attempt, files, requests, progress.add)
        if refused.spoiled:
            await store.forget([digest for digest in files if digest in refused.spoiled])
        sent = [Blob(digest, entry.size) for digest, entry in files.items() if digest not in refused.left]
        left = {*refused.left, *(blob.digest for blob in await store.lacks(sent))}  # whatever the machine says
        if left:
            why = refused.why or "not all of it is there"
            tell(f"What {origin.data.name} cannot send to the store itself goes through this machine: {why}\n")
        return progress.leg(Way.UPLOAD, f"From {origin.data.name} to the store"), left

    async def _through_here(
        self,
        files: Mapping[str, Entry],
        origin: HostWorkspace,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> tuple[Mapping[str, Blob], list[Leg]]:
        """Fetch files and store them; return what they contained, by what they should have contained."""
        progress = TransferProgress(sum(entry.size for entry in files.values()), tell, self._clock)
        room = anyio.CapacityLimiter(_AT_ONCE)
        stored: dict[str, Blob] = {}
        seconds = 0.0
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="deposit-", dir=self._scratch) as folder, one_error():

            async def bring(digest: str, entry: Entry) -> None:
                nonlocal seconds
                async with room:
                    file = Path(folder, digest)
                    await origin.data.read(origin.attempt, entry, file, progress.add)
                    begun = self._clock.monotonic()
                    stored[digest] = await store.put(file)
                    seconds = max(seconds, self._clock.monotonic() - begun)
                    await anyio.Path(file).unlink()  # there may be no room for all of them at once

            async with anyio.create_task_group() as tasks:
                for digest, entry in files.items():
                    tasks.start_soon(bring, digest, entry)
        return stored, [
            Leg(way=Way.TO_HERE, size=progress.moved, seconds=progress.seconds),
            Leg(way=Way.TO_STORE, size=progress.moved, seconds=seconds),
        ]


def _as_stored(entry: Entry, stored: Mapping[str, Blob]) -> Entry:
    """Return an entry with the content that a file had when it was read, which may have changed since it was listed."""
    blob = stored.get(entry.content) if entry.kind is EntryKind.FILE else None
    return entry if blob is None else replace(entry, content=blob.digest, size=blob.size)
