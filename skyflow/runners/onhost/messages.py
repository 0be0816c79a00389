"""Messages between a session and whoever asks."""

from __future__ import annotations

import json
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["HEADER", "send"]

HEADER = struct.Struct(">II")
"""How many bytes of JSON, and of data, come next."""


def send(head: dict[str, Any], data: bytes = b"") -> None:
    """Send one message."""
    text = json.dumps(head, ensure_ascii=False).encode(errors="surrogateescape")
    whole = memoryview(HEADER.pack(len(text), len(data)) + text + data)
    while whole:
        whole = whole[os.write(1, whole) :]
