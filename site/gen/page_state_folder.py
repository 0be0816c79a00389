"""What is kept in `.skyflow/`: the files as the module has them that names them, the tables as a new store has them."""

import re
import tempfile
from pathlib import Path

from markdown_text import code, page, table

from skyflow.model import layout
from skyflow.model.layout import StateFolder
from skyflow.store.store import open_store

__all__ = ["kept_files", "render"]

_FILE = re.compile(r"^- `([^`]+)`: (.*)$", re.MULTILINE)


def render() -> str:
    """Return the page."""
    return page(
        "State",
        source="`skyflow/model/layout.py` and a new store",
        parts=[
            (
                "All that skyflow remembers of a project is in `.skyflow/`, beside `skyflow.yml`; `--state FILE` and the variable "
                "`SKYFLOW_STATE` put the database elsewhere, and everything else stays beside it. No secret is in there but the "
                "keys to rented machines, each readable by its owner only."
            ),
            "## Files",
            table(("file", "what"), [(code(file), what) for file, what in kept_files()]),
            "## Tables",
            (
                "The database is SQLite, in write-ahead mode, and each table is `STRICT`. Programs should read `--json` "
                "rather than tables, which change from version to version: an older store is migrated when it is opened, and a "
                "newer one is refused. These are the tables of runs; every change of a status is an event, and a guarded update "
                "of exactly one row, both in one transaction."
            ),
            table(("table", "columns"), _tables()),
        ],
    )


def kept_files() -> list[tuple[str, str]]:
    """Return every kind of file, with what it is for."""
    return _FILE.findall(layout.__doc__ or "")


_TABLES = ("runs", "jobs", "attempts", "steps", "events", "annotations", "machines")


def _tables() -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as name, open_store(StateFolder(Path(name) / "state.db")) as store:
        return [
            (code(each), ", ".join(code(row["name"]) for row in store.rows(f"PRAGMA table_info({each})")))
            for each in _TABLES
        ]
