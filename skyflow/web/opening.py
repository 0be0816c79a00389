"""Opens a browser without a word of the token on its command line, which every user of the machine can read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

__all__ = ["way_in"]


@contextmanager
def way_in(address: str) -> Iterator[str]:
    """Give the address of a page that leads to another; it is a file for this user alone, and only there while we are."""
    page = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}"><title>skyflow</title>'
    with tempfile.TemporaryDirectory(prefix="skyflow-ui-") as folder:
        file = Path(folder, "open.html")
        file.write_text(page, encoding="utf-8")
        yield file.as_uri()
