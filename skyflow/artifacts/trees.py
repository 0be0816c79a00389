"""Stores trees of files, and puts them back without ever writing outside the folder they belong in."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from skyflow.artifacts.documents import read_entry, write_entry
from skyflow.artifacts.many import at_once
from skyflow.model.artifacts import Entry, EntryKind, Source, is_safe_path
from skyflow.ports.artifacts import ArtifactError, ObjectStore

__all__ = ["Place", "read_tree", "restore_tree", "store_list", "store_tree", "stored_size"]

_PERMISSIONS = 0o777
"""Bits of a mode that are kept; who a file belongs to, and running as its owner, are not anything to carry around."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry goes: `path` below `base`, and no link may lead out of `base`."""

    entry: Entry
    base: Path
    path: str


def store_tree(
    objects: ObjectStore, sources: Sequence[Source], *, follow_links: bool, go_on: Callable[[int], None]
) -> tuple[str, tuple[Entry, ...]]:
    """Store files and the list of them, and return the digest of the list, and the list.

    Args:
        objects: where to.
        sources: what; a folder stands for itself only, not for what is in it.
        follow_links: store what links lead to, and no times; else everything as it is.
        go_on: called now and then with the bytes that were moved since; raises to give up.

    Raises:
        ArtifactError: a path is not safe.
        OSError: something cannot be read or stored.
    """
    ordered = sorted(sources, key=lambda each: each.path)
    _refuse_unsafe(source.path for source in ordered)

    def store(source: Source, still: Callable[[int], None]) -> tuple[Entry, ...]:
        return tuple(_store_one(objects, source, follow_links=follow_links, go_on=still))

    entries = tuple(entry for stored in at_once(store, ordered, go_on) for entry in stored)
    return store_list(objects, entries, go_on), entries


def store_list(objects: ObjectStore, entries: Iterable[Entry], go_on: Callable[[int], None]) -> str:
    """Store a list of entries whose contents are stored, in the order of their paths, and return its digest.

    Raises:
        ArtifactError: a path is not safe.
        OSError: it cannot be stored.
    """
    ordered = sorted(entries, key=lambda each: each.path)
    _refuse_unsafe(entry.path for entry in ordered)
    text = "\n".join(map(write_entry, ordered))
    with tempfile.TemporaryDirectory(prefix="skyflow-") as folder:
        listing = Path(folder, "entries")
        listing.write_text(text, encoding="utf-8")
        return objects.put_blob(listing, go_on).digest


def _refuse_unsafe(paths: Iterable[str]) -> None:
    for path in paths:
        if not is_safe_path(path):
            raise ArtifactError(f"'{path}' cannot be stored: it would lie outside of the folder it is restored to")


def read_tree(objects: ObjectStore, digest: str, go_on: Callable[[int], None]) -> tuple[Entry, ...]:
    """Return the list of entries that is stored under a digest.

    Raises:
        ArtifactError: it is gone or damaged.
        OSError: it cannot be read.
    """
    with tempfile.NamedTemporaryFile(prefix="skyflow-") as file:
        listing = Path(file.name)
        objects.get_blob(digest, listing, go_on)
        lines = listing.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(map(read_entry, lines))


def restore_into(folder: Path, objects: ObjectStore, tree: str, go_on: Callable[[int], None]) -> None:
    """Write a tree into a folder, over what is there; the folder is made where there is none.

    Raises:
        ArtifactError: a file is gone or damaged, or would come to lie outside the folder.
        OSError: something cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    restore_tree(objects, [Place(entry, folder, entry.path) for entry in read_tree(objects, tree, go_on)], go_on)


def restore_tree(objects: ObjectStore, places: Iterable[Place], go_on: Callable[[int], None]) -> None:
    """Write entries to their places, over files and links that are there.

    Links come last, so that nothing is ever written through one of them, and the modes of folders after that, since a
    folder may be read-only.

    Raises:
        ArtifactError: an entry would come to lie outside its base, or its content is gone or damaged.
        OSError: something cannot be written.
    """
    writer = _Writer(objects)
    ordered = list(places)
    for place in _of_kind(ordered, EntryKind.FOLDER):
        go_on(0)
        writer.open_way(place)
    files = _of_kind(ordered, EntryKind.FILE)
    for place in files:
        go_on(0)
        writer.open_way(place)
    for _ in at_once(writer.write_file, files, go_on):
        pass
    for place in _of_kind(ordered, EntryKind.LINK):
        go_on(0)
        writer.write_link(place)
    for place in reversed(ordered):
        if place.entry.kind is EntryKind.FOLDER:
            target = place.base / place.path
            target.chmod(place.entry.mode)
            _set_time(target, place.entry)


def _of_kind(places: Iterable[Place], kind: EntryKind) -> list[Place]:
    return [place for place in places if place.entry.kind is kind]


def stored_size(entries: Iterable[Entry]) -> int:
    """Return how many bytes the files of a tree have."""
    return sum(entry.size for entry in entries)


def _store_one(
    objects: ObjectStore, source: Source, *, follow_links: bool, go_on: Callable[[int], None]
) -> Iterable[Entry]:
    status = source.file.stat() if follow_links else source.file.lstat()
    mode = stat.S_IMODE(status.st_mode) & _PERMISSIONS
    modified = None if follow_links else status.st_mtime_ns
    if stat.S_ISLNK(status.st_mode):
        target = str(source.file.readlink())
        yield Entry(path=source.path, kind=EntryKind.LINK, mode=mode, content=target, modified_ns=modified)
    elif stat.S_ISDIR(status.st_mode):
        yield Entry(path=source.path, kind=EntryKind.FOLDER, mode=mode, modified_ns=modified)
    elif stat.S_ISREG(status.st_mode):
        blob = objects.put_blob(source.file, go_on)
        yield Entry(
            path=source.path,
            kind=EntryKind.FILE,
            mode=mode,
            size=blob.size,
            content=blob.digest,
            modified_ns=modified,
        )
    # sockets, pipes and devices have no content that could be kept


@dataclass(slots=True)
class _Writer:
    """Writes entries; `_known` are folders whose way is known to be safe."""

    _objects: ObjectStore
    _known: set[tuple[Path, str]] = field(default_factory=set)

    def open_way(self, place: Place) -> None:
        """Make the folders that a place is in, and itself if it is one."""
        if not is_safe_path(place.path):
            raise ArtifactError(f"'{place.path}' is not restored: it would lie outside of {place.base}")
        parent, _, _ = place.path.rpartition("/")
        self._open_way(place.base, place.path if place.entry.kind is EntryKind.FOLDER else parent)

    def write_link(self, place: Place) -> None:
        """Make a link."""
        self.open_way(place)
        target = place.base / place.path
        target.unlink(missing_ok=True)
        target.symlink_to(place.entry.content)

    def write_file(self, place: Place, go_on: Callable[[int], None]) -> None:
        """Write a file whose way is open."""
        target = place.base / place.path
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".skyflow-")
        os.close(descriptor)
        draft = Path(name)
        try:
            self._objects.get_blob(place.entry.content, draft, go_on)
            draft.chmod(place.entry.mode)
            _set_time(draft, place.entry)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _open_way(self, base: Path, path: str) -> None:
        """Make the folders from the base to a path, and check that each of them is below the base."""
        if (base, path) in self._known:
            return
        base.mkdir(parents=True, exist_ok=True)
        real_base = base.resolve()
        current = base
        for name in path.split("/") if path else ():
            current /= name
            if current.is_symlink() and not current.resolve().is_relative_to(real_base):
                raise ArtifactError(f"'{path}' is not restored: the link {current} leads out of {base}")
            current.mkdir(exist_ok=True)
        self._known.add((base, path))


def _set_time(path: Path, entry: Entry) -> None:
    if entry.modified_ns is not None:
        os.utime(path, ns=(entry.modified_ns, entry.modified_ns))
