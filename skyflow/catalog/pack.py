"""A file of one JSON header and some arrays of numbers, which are used where they lie: nothing is parsed but the header.

    8 bytes  magic      4 bytes  length of the header      header (JSON)      arrays, each on an 8-byte boundary

Numbers are in the machine's own byte order; the header says which, and a file of the other order is not read.
"""

import json
import mmap
import os
import sys
import tempfile
from array import array
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["Pack", "read_pack", "write_pack"]

_MAGIC = b"skyflow1"
_START = len(_MAGIC) + 4
_ALIGNMENT = 8

Pack = tuple[dict[str, Any], Mapping[str, Any]]
"""A header, and the arrays by their names."""


def write_pack(path: Path, header: Mapping[str, Any], arrays: Mapping[str, "array[Any]"]) -> None:
    """Write a file in one move: a reader sees the old one or the new one, never a part.

    Raises:
        OSError: it cannot be written.
    """
    layout, offset = {}, 0
    for name, values in arrays.items():
        layout[name] = (values.typecode, offset, len(values))
        offset += -(-len(values) * values.itemsize // _ALIGNMENT) * _ALIGNMENT
    whole = {**header, "order": sys.byteorder, "arrays": layout}
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-(_START + len(text)) % _ALIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + len(text).to_bytes(4, "little") + text)
            for values in arrays.values():
                content = values.tobytes()
                file.write(content + b"\0" * (-len(content) % _ALIGNMENT))
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read_pack(path: Path) -> Pack | None:
    """Return the content of a file, or None if there is none or it is not one of ours.

    The arrays are views of the mapped file; they stay good when the file is replaced.
    """
    try:
        with path.open("rb") as file:
            whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        if whole[: len(_MAGIC)] != _MAGIC:
            return None
        end = _START + int.from_bytes(whole[len(_MAGIC) : _START], "little")
        header: dict[str, Any] = json.loads(bytes(whole[_START:end]))
        if header["order"] != sys.byteorder:
            return None
        return header, {
            name: _view(whole, kind, end + offset, count) for name, (kind, offset, count) in header["arrays"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):  # an empty or cut file has to be made again, like a missing one
        return None


def _view(whole: memoryview, kind: Any, start: int, count: int) -> Any:
    size = count * array(kind).itemsize
    if start + size > len(whole):
        raise ValueError("the file is cut")
    return whole[start : start + size].cast(kind)
