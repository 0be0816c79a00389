"""The index on disk: made on first use, and again when a table or the project's own prices have changed.

What tells is the checksum of every table. Reading six megabytes to see that nothing has changed would take longer than
loading the index, so a file whose size and time of change are those of last time is taken to be the same, as git does.
"""

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skyflow.catalog.build import build_index
from skyflow.catalog.index import Index
from skyflow.catalog.pack import read_pack, write_pack
from skyflow.model.config import Peering, PriceRule

__all__ = ["CACHE_VARIABLE", "cache_folder", "load_index"]

CACHE_VARIABLE = "SKYFLOW_CACHE"
_FORMAT = 5
"""Grows with every change of what `build` lays out."""

Stamp = list[Any]
"""Size, time of change in nanoseconds, and checksum of a table."""


def cache_folder() -> Path:
    """Return where indexes are kept: `SKYFLOW_CACHE`, else `skyflow` in the user's folder for such things."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 -- without a home, as it is
    if home.startswith("~"):
        home = tempfile.gettempdir()
    return Path(home) / "skyflow"


def load_index(
    directory: Path, rules: Sequence[PriceRule] = (), peerings: Sequence[Peering] = (), *, folder: Path | None = None
) -> Index:
    """Return the index of a directory of tables, from the cache if that is still right.

    A folder that cannot be written costs time on every use, nothing else.

    Raises:
        CatalogError: a table is missing or has other columns, or there is no price list.
    """
    own = repr((_FORMAT, tuple(rules), tuple(peerings)))
    name = hashlib.sha256(f"{directory.absolute()}\n{own}".encode()).hexdigest()[:20]
    path = (folder or cache_folder()) / f"catalog-{name}.idx"
    stamps: dict[str, Stamp] = {}
    if (pack := read_pack(path)) is not None:
        header, arrays = pack
        if header.get("format") == _FORMAT:
            stamps = header["files"]
            if _is_unchanged(directory, stamps):
                return Index(header, arrays)
    now = _stamps(directory)
    if pack is not None and stamps and _checksums(stamps) == _checksums(now):
        _keep(path, {**pack[0], "files": now}, {key: _copied(view) for key, view in pack[1].items()})
        return Index(*pack)
    header, built = build_index(directory, rules, peerings)
    _keep(path, {**header, "format": _FORMAT, "files": now}, built)
    return Index(header, built)


def _keep(path: Path, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    try:
        write_pack(path, header, arrays)
    except OSError:
        return  # a read-only or full disk: the next use builds it again


def _copied(view: Any) -> Any:
    from array import array  # noqa: PLC0415 -- seldom needed

    return array(view.format, view)


def _tables(directory: Path) -> list[Path]:
    return sorted([*directory.glob("*.csv"), *directory.glob("*/*.csv")])


def _is_unchanged(directory: Path, stamps: dict[str, Stamp]) -> bool:
    """Tell whether the tables are those that were read, by their sizes and times of change."""
    try:
        for name, (size, changed, _) in stamps.items():
            status = (directory / name).stat()
            if (status.st_size, status.st_mtime_ns) != (size, changed):
                return False
    except OSError:
        return False
    return len(_tables(directory)) == len(stamps)


def _stamps(directory: Path) -> dict[str, Stamp]:
    found: dict[str, Stamp] = {}
    for path in _tables(directory):
        status = path.stat()
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.relative_to(directory).as_posix()] = [status.st_size, status.st_mtime_ns, checksum]
    return found


def _checksums(stamps: dict[str, Stamp]) -> dict[str, str]:
    return {name: stamp[2] for name, stamp in stamps.items()}
