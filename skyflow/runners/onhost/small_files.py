"""Files, in a few lines each."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import Any

__all__ = ["copy", "digest_of", "read_bytes", "read_json", "read_text", "remove", "write"]

CHUNK_BYTES = 256 * 1024


def digest_of(path: str) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(CHUNK_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()


def copy(source: str, target: str, mode: int) -> None:
    """Copy a file."""
    with open(source, "rb") as reader, open(target, "xb") as writer:
        shutil.copyfileobj(reader, writer, CHUNK_BYTES)
        os.fchmod(writer.fileno(), mode)


def write(path: str, data: bytes) -> None:
    """Write a file in one move."""
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    draft = f"{path}.{os.getpid()}.new"
    with open(draft, "wb") as file:
        file.write(data)
    os.replace(draft, path)


def read_bytes(path: str, most: int) -> bytes:
    """Return the beginning of a file; nothing of one that is gone or not ours to read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def read_text(path: str) -> str:
    """Return a small file as text."""
    return read_bytes(path, CHUNK_BYTES).decode(errors="replace")


def read_json(path: str) -> Any:
    """Return what a file holds; None if it is gone, or not complete."""
    try:
        return json.loads(read_bytes(path, 1 << 30).decode())
    except ValueError:
        return None


def remove(path: str) -> None:
    """Remove a folder with all that is in it; harmless if it is gone."""
    if path:
        shutil.rmtree(path, ignore_errors=True)
