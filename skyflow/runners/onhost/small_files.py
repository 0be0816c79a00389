"""Files, in a few lines each."""

from __future__ import annotations

import os

__all__ = ["append", "copy", "digest_of", "read_bytes", "read_piece", "read_text", "remove", "write"]

CHUNK_BYTES = 256 * 1024


def digest_of(path: str) -> str:
    """Return the SHA-256 of a file."""
    import hashlib  # noqa: PLC0415 -- an agent starts sooner without it

    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(CHUNK_BYTES), b""):
            digest.update(piece)
    return digest.hexdigest()


def copy(source: str, target: str, mode: int) -> None:
    """Copy a file."""
    import shutil  # noqa: PLC0415 -- as above

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


def append(path: str, data: bytes) -> None:
    """Write to the end of a file, which is made if it is not there."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)


def read_bytes(path: str, most: int) -> bytes:
    """Return the beginning of a file; nothing of one that is gone or not ours to read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def read_piece(path: str, most: int, offset: int) -> bytes:
    """Return what one read gives of a file from an offset on; nothing of one that is gone."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.pread(file, most, offset)
    finally:
        os.close(file)


def read_text(path: str) -> str:
    """Return a small file as text."""
    return read_bytes(path, CHUNK_BYTES).decode(errors="replace")


def remove(path: str) -> None:
    """Remove a folder with all that is in it; harmless if it is gone."""
    if path:
        import shutil  # noqa: PLC0415 -- as above

        shutil.rmtree(path, ignore_errors=True)
