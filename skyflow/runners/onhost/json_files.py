"""Files that hold JSON: for what has the time to load what reads it, unlike an agent."""

from __future__ import annotations

import json

from skyflow.runners.onhost.small_files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_json"]


def read_json(path: str) -> Any:
    """Return what a file holds; None if it is gone, or not complete."""
    try:
        return json.loads(read_bytes(path, 1 << 30).decode())
    except ValueError:
        return None
