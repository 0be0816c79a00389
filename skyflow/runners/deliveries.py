"""Brings data to where a job needs it, by the shortest way.

It is there, another machine has it, the store gives it to the machine itself, or it comes from here.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio

from skyflow.model.artifacts import Entry, EntryKind
from skyflow.model.transfers import Leg, Way
from skyflow.ports.artifacts import ContentStore
from skyflow.ports.clock import Clock
from skyflow.ports.transport import TransportError
from skyflow.runners.one_error import one_error
from skyflow.runners.remote.data import HostData, HostWorkspace
from skyflow.runners.signed_requests import requests_for
from skyflow.runners.transfer_progress import TransferProgress

__all__ = ["Deliveries"]

_AT_ONCE = 8
_ASK_SECONDS = 10.0
"""How long a machine that may have something is waited for, before the data comes from here."""


class Deliveries:
    """Delivers data in a run; it remembers which machines do not reach each other."""

    def __init__(self, clock: Clock, *, scratch: Path) -> None:
        """Prepare; nothing happens yet.

        Args:
            clock: the time.
            scratch: a folder for what is on its way through this machine, with as much room as artifacts have.
        """
        self._clock = clock
        self._scratch = scratch
        self._apart: set[tuple[str, str]] = set()

    async def deliver(
        self,
        entries: Sequence[Entry],
        destinations: Sequence[HostWorkspace],
        *,
        others: Sequence[HostData] | None,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> list[Leg]:
        """Put files, folders and links into workspaces; return on what ways how much has come.

        Args:
            entries: what is put where.
            destinations: the workspaces; what one of them has, the others can have from it.
            others: further machines that may have some of it; None where machines do not reach each other.
            store: where all of it is.
            tell: takes a line for the log.

        Raises:
            TransportError: it cannot be brought.
            ArtifactError, OSError: it cannot be read here.
        """
        sizes = {entry.content: entry.size for entry in entries if entry.kind is EntryKind.FILE}
        legs: list[Leg] = []

        async def bring(destination: HostWorkspace) -> None:
            near = [each.data for each in destinations if each is not destination]
            sources = () if others is None else (*near, *others)
            legs.extend(await self._bring(sizes, destination.data, sources, store, tell))
            await destination.data.place(destination.attempt, entries, keep=others is not None)

        first, *rest = destinations
        await bring(first)
        with one_error():
            async with anyio.create_task_group() as tasks:
                for destination in rest:
                    tasks.start_soon(bring, destination)
        return legs

    async def _bring(
        self,
        sizes: Mapping[str, int],
        target: HostData,
        sources: Sequence[HostData],
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> list[Leg]:
        missing: Sequence[str] = await target.lacks(sizes)
        legs: list[Leg | None] = []
        if sizes and not missing:
            tell(f"Nothing has to be sent to {target.name}: an earlier job has left it there\n")
        for source in sources:
            if missing and (source.name, target.name) not in self._apart:
                leg, missing = await self._directly(sizes, missing, source, target, tell)
                legs.append(leg)
        if missing:
            leg, missing = await self._from_store(sizes, missing, target, store, tell)
            legs.append(leg)
        if missing:
            legs.append(await self._from_here(sizes, missing, target, store, tell))
        return [leg for leg in legs if leg is not None]

    async def _directly(
        self,
        sizes: Mapping[str, int],
        missing: Sequence[str],
        source: HostData,
        target: HostData,
        tell: Callable[[str], None],
    ) -> tuple[Leg | None, Sequence[str]]:
        """Have the target fetch what the source has; return what is missing after that."""
        try:
            with anyio.fail_after(_ASK_SECONDS):
                there = sorted(set(missing) - set(await source.lacks(missing)))
        except (TimeoutError, TransportError):
            return None, missing
        if not there:
            return None, missing
        wanted = {digest: sizes[digest] for digest in there}
        progress = TransferProgress(sum(wanted.values()), tell, self._clock)
        problem = await self._persistently(target, source, wanted, progress)
        if problem:
            self._apart.add((source.name, target.name))
            tell(
                f"Data of {source.name} cannot go to {target.name} directly, it goes through this machine: {problem}\n"
            )
        leg = progress.leg(Way.DIRECT, f"From {source.name} directly to {target.name}")
        return leg, await target.lacks(missing)

    async def _persistently(
        self, target: HostData, source: HostData, sizes: Mapping[str, int], progress: TransferProgress
    ) -> str | None:
        """Fetch until all has come that there is, again where it broke off; return why nothing more comes."""
        while True:
            before = progress.moved
            try:
                missing = await target.lacks(sizes)
                await target.fetch_from(source, {digest: sizes[digest] for digest in missing}, progress.add)
            except TransportError as error:
                if progress.moved == before:
                    return str(error)
            else:
                return None

    async def _from_store(
        self,
        sizes: Mapping[str, int],
        missing: Sequence[str],
        target: HostData,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> tuple[Leg | None, Sequence[str]]:
        """Have the target fetch what it needs from the store, where that can be reached from elsewhere; return the rest."""
        requests = await requests_for(store, "GET", missing, tell)
        if not requests:
            return None, missing
        progress = TransferProgress(sum(sizes[digest] for digest in missing), tell, self._clock)
        refused = await target.get(sizes, requests, progress.add)
        if refused.left:
            tell(f"What {target.name} cannot fetch from the store itself goes through this machine: {refused.why}\n")
        leg = progress.leg(Way.DOWNLOAD, f"From the store to {target.name}")
        return leg, [digest for digest in missing if digest in refused.left]

    async def _from_here(
        self,
        sizes: Mapping[str, int],
        missing: Sequence[str],
        target: HostData,
        store: ContentStore,
        tell: Callable[[str], None],
    ) -> Leg | None:
        progress = TransferProgress(sum(sizes[digest] for digest in missing), tell, self._clock)
        room = anyio.CapacityLimiter(_AT_ONCE)
        self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="delivery-", dir=self._scratch) as folder, one_error():

            async def send(digest: str) -> None:
                async with room:
                    file = Path(folder, digest)
                    await store.read(digest, file)
                    await target.send(digest, file, progress.add)
                    await anyio.Path(file).unlink()  # there may be no room for all of them at once

            async with anyio.create_task_group() as tasks:
                for digest in missing:
                    tasks.start_soon(send, digest)
        return progress.leg(Way.FROM_HERE, f"From this machine to {target.name}")
