"""Asks the stores of a project whether artifacts can be kept there."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_hex

from skyflow.artifacts.places import open_place
from skyflow.errors import UsageError
from skyflow.model.stores import DeclaredStore
from skyflow.ports.artifacts import ArtifactError, ObjectStore

__all__ = ["StoreCheck", "check_stores"]

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCheck:
    """What became of trying one store: `problem` says why nothing can be kept there, `doubt` what machines cannot do."""

    name: str
    url: str
    problem: str = ""
    doubt: str = ""


def check_stores(stores: Sequence[DeclaredStore]) -> tuple[StoreCheck, ...]:
    """Write, read and remove something in every store, in all at once; nothing is left there."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(_check, stores))


def _check(store: DeclaredStore) -> StoreCheck:
    try:
        region = store.place.region if store.place is not None else ""
        objects = open_place(store.url, region=region, endpoint=store.endpoint)
        problem = _try(objects)
    except (OSError, ArtifactError, UsageError) as error:
        return StoreCheck(name=store.name, url=store.url, problem=str(error))
    doubt = ""
    if not problem:
        try:
            objects.signed("GET", [hashlib.sha256().hexdigest()])
        except ArtifactError as error:
            doubt = str(error)
    return StoreCheck(name=store.name, url=store.url, problem=problem, doubt=doubt)


def _try(objects: ObjectStore) -> str:
    """Return what is wrong with a store, or nothing."""
    key, data = f"checks/{token_hex(8)}", b"skyflow was here"
    objects.create(key, data)
    try:
        return "" if objects.read(key) == data else "what was written did not come back"
    finally:
        objects.delete(key)
