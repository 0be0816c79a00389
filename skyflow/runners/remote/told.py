"""What another machine tells of its files, taken for what it is: anything may come, and only what fits is used."""

from collections.abc import Iterator
from typing import Any

from skyflow.model.artifacts import Entry, EntryKind
from skyflow.runners.onhost.data import is_digest
from skyflow.runners.remote.errand import ErrandRefusedError

__all__ = ["read_entries", "read_texts"]


def read_texts(told: object) -> list[str]:
    """Return a list of texts.

    Raises:
        ErrandRefusedError: it is none.
    """
    if isinstance(told, list | tuple) and all(isinstance(each, str) for each in told):
        return list(told)
    raise ErrandRefusedError("the machine tells something else than a list of texts")


def read_entries(told: object) -> Iterator[Entry]:
    """Yield files, folders and links as `skyflow.runners.onhost.data.entries_of` describes them; paths may lead anywhere.

    Raises:
        ErrandRefusedError: it is no list of such.
    """
    if not isinstance(told, list | tuple):
        raise ErrandRefusedError("the machine tells something else than a list of files")
    for each in told:
        try:
            yield _entry(each)
        except (KeyError, TypeError, ValueError):
            raise ErrandRefusedError("the machine describes a file as none can be") from None


def _entry(told: dict[str, Any]) -> Entry:
    kind = EntryKind(told["kind"])
    modified = told["modified_ns"]
    path, content = told["path"], told["content"]
    if not isinstance(path, str) or not isinstance(content, str) or (kind is EntryKind.FILE and not is_digest(content)):
        raise ValueError
    return Entry(
        path=path,
        kind=kind,
        mode=told["mode"] & 0o777,
        size=max(int(told["size"]), 0),
        content=content,
        modified_ns=None if modified is None else int(modified),
    )
