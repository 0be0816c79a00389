"""The data that jobs of a run hand on, on the machines they run on: what is where, and how it gets elsewhere.

Contents are named by their SHA-256, so what is on a machine already never travels again, what was damaged on the way is
noticed, and what was cut off goes on where it was. From one machine to another they go directly over SSH, with a key that
is made for one journey and is good for nothing else (`skyflow.runners.onhost.lending`).
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import anyio

from skyflow.model.artifacts import Entry
from skyflow.ports.artifacts import SignedRequest
from skyflow.runners.remote.link import HostLink
from skyflow.runners.remote.told import read_entries, read_texts

__all__ = ["HostData", "HostWorkspace", "Refused"]

_PIECE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """What a machine and a store could not do without us: digests, and why. What is `spoiled` has to be removed there."""

    left: Collection[str]
    spoiled: Collection[str]
    why: str


class HostData:
    """What one machine has of the data of a run."""

    def __init__(self, link: HostLink, *, run: str) -> None:
        self._link = link
        self._run = run

    @property
    def name(self) -> str:
        """What the machine is called."""
        return self._link.name

    async def lacks(self, digests: Collection[str]) -> list[str]:
        """Return which contents the machine does not have.

        Raises:
            TransportError: it cannot be used.
        """
        if not digests:
            return []
        answer = await self._link.ask("lacks", json.dumps(sorted(digests)).encode(), run=self._run)
        lacking = answer.listing()
        return [digest for digest in sorted(digests) if digest in lacking]

    async def keep(self, owner: str, folder: str, names: Sequence[str]) -> None:
        """Keep files of a folder there, in place of what the same owner has kept before.

        Raises:
            TransportError: they cannot be kept.
        """
        key = hashlib.sha256(owner.encode(errors="surrogateescape")).hexdigest()
        async with self._link.errand("keep", run=self._run, owner=key, folder=folder, names=list(names)) as errand:
            await errand.finish()

    async def fetch_from(self, other: "HostData", sizes: Mapping[str, int], moved: Callable[[int], None]) -> int:
        """Fetch contents, by digest, from another machine, which does not need us for it; return how many bytes came.

        Raises:
            TransportError: the two do not reach each other, or one of them not us; what has come stays.
        """
        async with self._link.errand("fetch", run=self._run, sizes=dict(sizes)) as fetching:
            key = await fetching.hear("key", str)
            async with other._link.errand("lend", run=self._run, key=key) as lending:  # noqa: SLF001 -- of this class
                await fetching.say(**await lending.hear("lent", dict))
                return await fetching.finish(moved)

    async def send(self, digest: str, path: Path, moved: Callable[[int], None]) -> None:
        """Send a content from a file here.

        Raises:
            TransportError: it cannot be written there.
            OSError: it cannot be read here.
        """
        sent, by = 0, token_hex(6)
        async with await anyio.open_file(path, "rb") as file:
            while True:
                piece = await file.read(_PIECE_BYTES)
                last = len(piece) < _PIECE_BYTES
                await self._link.ask("blob", piece, run=self._run, digest=digest, offset=sent, last=last, by=by)
                sent += len(piece)
                moved(len(piece))
                if last:
                    return

    async def list(self, attempt: str, names: Sequence[str], *, follow_links: bool) -> "list[Entry]":
        """Describe files, folders and links of the workspace of an attempt (`RUN/JOB/NUMBER`), contents included.

        Raises:
            TransportError: one cannot be read.
        """
        found: dict[str, Entry] = {}
        wanted = set(names)

        def take(told: dict[str, Any]) -> None:
            found.update((entry.path, entry) for entry in read_entries(told.get("entries", ())) if entry.path in wanted)

        async with self._link.errand("list", folder=attempt, names=names, follow_links=follow_links) as errand:
            await errand.finish(take=take)
        return [found[name] for name in names if name in found]

    async def read(self, attempt: str, entry: Entry, target: Path, moved: Callable[[int], None]) -> None:
        """Copy a file of the workspace of an attempt to a file here, as much of it as there was when it was listed.

        Raises:
            TransportError: it cannot be read there.
            OSError: it cannot be written here.
        """
        at, folder = 0, f"{await self._link.folder()}/runs/{attempt}/work"
        async with await anyio.open_file(target, "wb") as file:
            while at < entry.size:
                most = min(_PIECE_BYTES, entry.size - at)
                answer = await self._link.ask("read", folder=folder, path=entry.path, offset=at, most=most)
                piece = answer.data[:most]
                await file.write(piece)
                at += len(piece)
                moved(len(piece))
                if len(piece) < most:
                    return

    async def put(
        self,
        attempt: str,
        files: Mapping[str, Entry],
        requests: Mapping[str, SignedRequest],
        moved: Callable[[int], None],
    ) -> Refused:
        """Have the machine send files of the workspace of an attempt to a store; both are by the digests of the contents.

        Raises:
            TransportError: it cannot be asked.
        """
        blobs = [
            {"name": files[digest].path, "digest": digest, "size": files[digest].size, **asdict(request)}
            for digest, request in requests.items()
        ]
        return await self._by_requests("put", moved, folder=attempt, blobs=blobs)

    async def get(
        self, sizes: Mapping[str, int], requests: Mapping[str, SignedRequest], moved: Callable[[int], None]
    ) -> Refused:
        """Have the machine fetch contents from a store.

        Raises:
            TransportError: it cannot be asked.
        """
        blobs = [{"digest": digest, "size": sizes[digest], **asdict(request)} for digest, request in requests.items()]
        return await self._by_requests("get", moved, run=self._run, blobs=blobs)

    async def _by_requests(self, do: str, moved: Callable[[int], None], **fields: object) -> Refused:
        told: list[dict[str, Any]] = []
        async with self._link.errand(do, **fields) as errand:
            await errand.finish(moved, take=told.append)
        return Refused(
            left=[each for fields in told for each in read_texts(fields.get("left", ()))],
            spoiled=[each for fields in told for each in read_texts(fields.get("spoiled", ()))],
            why=next((str(fields["why"]) for fields in told if fields.get("why")), ""),
        )

    async def place(self, attempt: str, entries: Sequence[Entry], *, keep: bool) -> None:
        """Put files, folders and links into the workspace of an attempt (`RUN/JOB/NUMBER`); their contents are there.

        Without `keep`, the contents are moved rather than copied.

        Raises:
            TransportError: they cannot be written.
        """
        listed = [{**asdict(entry), "kind": entry.kind.value} for entry in entries]
        async with self._link.errand("place", run=self._run, folder=attempt, entries=listed, keep=keep) as errand:
            await errand.finish()


@dataclass(frozen=True, slots=True)
class HostWorkspace:
    """The workspace of an attempt (`RUN/JOB/NUMBER`) on one machine."""

    data: HostData
    attempt: str
