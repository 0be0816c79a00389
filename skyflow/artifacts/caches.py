"""The caches of a project, in an object store."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from skyflow.artifacts.documents import read_cache, write_cache
from skyflow.artifacts.keys import CACHES, cache_key
from skyflow.artifacts.threads import in_thread
from skyflow.artifacts.trees import Place, read_tree, restore_tree, store_tree, stored_size
from skyflow.model.artifacts import MOST_CACHE_KEYS, CachedTree, Entry, Source, cache_key_problem
from skyflow.ports.artifacts import ArtifactError, ObjectStore
from skyflow.ports.clock import Clock

__all__ = ["Caches", "choose_cache"]


class Caches:
    """Trees of files that later runs find by their keys."""

    def __init__(self, objects: ObjectStore, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def find(self, keys: Sequence[str], *, version: str, scopes: Sequence[str]) -> CachedTree | None:
        """Return the cache that the keys stand for, and count it as used."""
        if len(keys) > MOST_CACHE_KEYS:
            raise ArtifactError(f"at most {MOST_CACHE_KEYS} keys can be looked for, and these are {len(keys)}")
        _refuse_invalid(*keys)
        found = choose_cache(await self._all(), keys, version=version, scopes=scopes)
        if found is not None:
            self._objects.touch(cache_key(found.key, version=found.version, scope=found.scope))
        return found

    async def save(self, key: str, sources: Sequence[Source], *, version: str, scope: str) -> CachedTree | None:
        """Store files under a key that is free."""
        _refuse_invalid(key)
        now = self._clock.now()
        place = cache_key(key, version=version, scope=scope)

        def work(go_on: Callable[[int], None]) -> CachedTree | None:
            if self._objects.read(place) is not None:
                return None
            tree, entries = store_tree(self._objects, sources, follow_links=False, go_on=go_on)
            size = stored_size(entries)
            cached = CachedTree(key=key, version=version, scope=scope, created=now, size=size, tree=tree)
            return cached if self._objects.create(place, write_cache(cached)) else None

        return await in_thread(work)

    async def restore(self, cached: CachedTree, anchors: Mapping[str, Path], allowed: Sequence[Path]) -> None:
        """Put a cache back."""
        await in_thread(partial(self._restore, cached, anchors, allowed))

    def _restore(
        self, cached: CachedTree, anchors: Mapping[str, Path], allowed: Sequence[Path], go_on: Callable[[int], None]
    ) -> None:
        entries = read_tree(self._objects, cached.tree, go_on)
        places = [_place(entry, anchors, allowed) for entry in entries]
        restore_tree(self._objects, places, go_on)

    async def _all(self) -> list[CachedTree]:
        def work(go_on: Callable[[int], None]) -> list[CachedTree]:
            found: list[CachedTree] = []
            for stored in self._objects.objects(CACHES):
                go_on(0)
                data = self._objects.read(stored.key)
                if data is not None:
                    found.append(read_cache(data))
            return found

        return await in_thread(work)


def choose_cache(
    caches: Sequence[CachedTree], keys: Sequence[str], *, version: str, scopes: Sequence[str]
) -> CachedTree | None:
    """Return the cache that keys stand for, as GitHub chooses it.

    Args:
        caches: all there are.
        keys: the key, then those that may stand in for it.
        version: what the caches to look at must have.
        scopes: where to look, the first that has any counts.
    """
    newest_first = sorted(caches, key=lambda each: (each.created, each.key), reverse=True)
    for scope in scopes:
        visible = [each for each in newest_first if (each.scope, each.version) == (scope, version)]
        exact = [each for each in visible if keys and each.key == keys[0]]
        beginning = [each for key in keys for each in visible if each.key.startswith(key)]
        if exact or beginning:
            return (exact or beginning)[0]
    return None


def _place(entry: Entry, anchors: Mapping[str, Path], allowed: Sequence[Path]) -> Place:
    """Return where an entry goes: below the innermost of the allowed paths that it is in."""
    anchor, _, path = entry.path.partition("/")
    if anchor not in anchors or ".." in path.split("/"):
        raise ArtifactError(f"'{entry.path}' is not restored: it would lie outside of the paths of this cache")
    target = anchors[anchor] / path
    around = [base for base in allowed if target.is_relative_to(base)]
    if not around:
        raise ArtifactError(f"'{target}' is not restored: it is not below any of the paths of this cache")
    inner = max(around, key=lambda base: len(base.parts))
    base = inner if target != inner else inner.parent
    return Place(entry, base, target.relative_to(base).as_posix())


def _refuse_invalid(*keys: str) -> None:
    for key in keys:
        problem = cache_key_problem(key)
        if problem:
            raise ArtifactError(problem)
